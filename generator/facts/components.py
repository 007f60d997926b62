"""Programs in the cluster: which Kubernetes versions each of their releases is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from generator.facts.source import FactFile, Row, Source, read_facts, release


@dataclass(frozen=True, slots=True)
class Tested:
    """A release of a component and the Kubernetes versions that upstream tests it on, both ends included.

    `version` is a prefix ("3.4" speaks for 3.4.x); None speaks for all releases. An end that is None is
    open, or unknown if both are. `follows_kubernetes` marks a component with one release for each minor
    version of Kubernetes, of the same number.
    """

    component: str
    version: str | None
    kubernetes_min: str | None
    kubernetes_max: str | None
    follows_kubernetes: bool
    note: str
    sources: tuple[Source, ...]

    @property
    def known(self) -> bool:
        """Whether anything is known about the range."""
        return self.kubernetes_min is not None or self.kubernetes_max is not None

    def too_old(self, kubernetes: str) -> bool:
        """Whether this Kubernetes is below the range."""
        return self.kubernetes_min is not None and release(kubernetes) < release(self.kubernetes_min)

    def too_new(self, kubernetes: str) -> bool:
        """Whether this Kubernetes is above the range."""
        return self.kubernetes_max is not None and release(kubernetes) > release(self.kubernetes_max)

    def covers(self, kubernetes: str) -> bool:
        """Whether this Kubernetes is known to be in the range."""
        return self.known and not self.too_old(kubernetes) and not self.too_new(kubernetes)

    @property
    def range(self) -> str:
        """For people: "1.32–1.35", "1.36 only", "1.31 and newer"."""
        low, high = self.kubernetes_min, self.kubernetes_max
        if low == high:
            return f"{low} only" if low else "unknown"
        if high is None:
            return f"{low} and newer"
        return f"{low}–{high}" if low else f"up to {high}"


def tested(component: str, version: str) -> Tested | None:
    """What is known of one release ("3.4.4"); None if nothing was recorded."""
    wanted = release(version)
    for row in _rows_of(component):
        if row.follows_kubernetes:
            minor = ".".join(str(part) for part in wanted[:2])
            return replace(row, version=minor, kubernetes_min=minor, kubernetes_max=minor)
        if row.version is None or release(row.version) == wanted[: len(release(row.version))]:
            return row
    return None


def releases_for(component: str, kubernetes: str) -> list[str]:
    """The recorded releases of a component that are tested on this Kubernetes, oldest first."""
    fitting = [row.version for row in _rows_of(component) if row.version and row.covers(kubernetes)]
    return sorted(fitting, key=release)


@cache
def components() -> tuple[Tested, ...]:
    """Everything recorded."""
    return tuple(_tested(row) for row in data().rows)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("components")


def _rows_of(component: str) -> list[Tested]:
    return [row for row in components() if row.component == component]


def _tested(row: Row) -> Tested:
    return Tested(**{**row, "sources": data().sources_of(row)})
