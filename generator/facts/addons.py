"""What EKS and K3s run themselves, beside the charts of the platform: pods and their requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from generator.facts.source import FactFile, Row, Source, read_facts


@dataclass(frozen=True, slots=True)
class Addon:
    """A workload of kube-system. `replicas` is None for a DaemonSet; requests are of each container."""

    cluster: Literal["eks", "k3s"]
    name: str
    kind: Literal["Deployment", "DaemonSet"]
    replicas: int | None
    containers: int
    millicores: int
    memory_mib: int
    note: str
    sources: tuple[Source, ...]


def addons_of(cluster: Literal["eks", "k3s"]) -> tuple[Addon, ...]:
    """What one kind of cluster brings along."""
    return tuple(each for each in addons() if each.cluster == cluster)


@cache
def addons() -> tuple[Addon, ...]:
    """Everything recorded."""
    return tuple(_addon(row) for row in data().rows)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("addons")


def _addon(row: Row) -> Addon:
    return Addon(**{**row, "sources": data().sources_of(row)})
