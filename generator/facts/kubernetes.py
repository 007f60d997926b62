"""Kubernetes minor versions: until when upstream, EKS and K3s look after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from generator.facts.source import FactFile, Row, Source, day, read_facts

Distribution = Literal["eks", "k3s"]


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A minor version. From a date of end on it is no longer supported; None is unknown.

    `k3s_release` is the newest K3s release that was seen, not necessarily the newest there is.
    """

    version: str
    upstream_end: date | None
    eks_standard_end: date | None
    eks_extended_end: date | None
    k3s_release: str | None
    note: str
    sources: tuple[Source, ...]

    def offered(self, by: Distribution) -> bool:
        """Whether a release of EKS or K3s with this version is known."""
        return (self.eks_standard_end if by == "eks" else self.k3s_release) is not None

    def end_of_support(self, of: Distribution) -> date | None:
        """End of EKS's standard support; K3s ends with upstream."""
        return self.eks_standard_end if of == "eks" else self.upstream_end

    def supported(self, by: Distribution, today: date) -> bool:
        """Whether it is offered and its support has not ended."""
        end = self.end_of_support(by)
        return self.offered(by) and end is not None and today < end


@cache
def versions() -> dict[str, KubernetesVersion]:
    """Every known minor version, oldest first."""
    return data().indexed("version", _version)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("kubernetes")


def _version(row: Row) -> KubernetesVersion:
    return KubernetesVersion(
        version=row["version"],
        upstream_end=day(row["upstream_end"]),
        eks_standard_end=day(row["eks_standard_end"]),
        eks_extended_end=day(row["eks_extended_end"]),
        k3s_release=row["k3s_release"],
        note=row["note"],
        sources=data().sources_of(row),
    )
