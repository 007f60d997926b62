"""What charts run: where the values of each workload hold its replicas and its containers' requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from generator.facts.source import FactFile, Row, Source, read_facts

Kind = Literal["Deployment", "StatefulSet", "DaemonSet", "Job"]


@dataclass(frozen=True, slots=True)
class ChartWorkload:
    """A workload of a chart, by dotted paths into its values.

    `containers` lead to the `resources` of a container each. `replicas` is a path or a number, None for
    what has no such number: one a node, or a hook that ends before what it is for starts.
    """

    chart: str
    name: str
    namespace: str
    kind: Kind
    replicas: str | None
    containers: tuple[str, ...]
    note: str
    sources: tuple[Source, ...]

    @property
    def count(self) -> int | None:
        """The replicas, where the chart gives the number and the values have no say."""
        return int(self.replicas) if self.replicas is not None and self.replicas.isdigit() else None


def workloads_of(chart: str) -> tuple[ChartWorkload, ...]:
    """The workloads of one chart; none for a chart of which nothing was recorded."""
    return tuple(each for each in workloads() if each.chart == chart)


@cache
def workloads() -> tuple[ChartWorkload, ...]:
    """Everything recorded."""
    return tuple(_workload(row) for row in data().rows)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("workloads")


def _workload(row: Row) -> ChartWorkload:
    lists = {"containers": tuple(row["containers"]), "sources": data().sources_of(row)}
    return ChartWorkload(**{**row, **lists})
