"""Facts as tables, for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from generator.facts import addons, charts, components, ec2, kubernetes, prices, rds, workloads
from generator.facts.source import FactFile, Source

Cell = str | int | Decimal | date | None
Cells = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class FactTable:
    """A table to show: every row has a cell for each column; a None in a row is unknown."""

    name: str
    title: str
    date: date
    columns: tuple[str, ...]
    rows: Cells
    sources: tuple[Source, ...]


def table(name: str) -> FactTable:
    """One of `TABLES`; KeyError for any other name."""
    data, columns, rows = TABLES[name]
    file = data()
    return FactTable(name, file.title, file.date, columns, tuple(rows()), tuple(file.sources.values()))


def as_text(cell: Cell) -> str:
    """A cell for people: what is unknown says so."""
    return "unknown" if cell is None else str(cell)


def as_json(table: FactTable) -> dict[str, Any]:
    """A table as `json.dumps` takes it: dates as ISO text, decimals as numbers, unknown as null."""
    return {
        "name": table.name,
        "title": table.title,
        "date": table.date.isoformat(),
        "rows": [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows],
        "sources": [{"text": source.text, "date": source.date} for source in table.sources],
    }


def _plain(cell: Cell) -> str | int | float | None:
    if isinstance(cell, Decimal):
        return float(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _ec2() -> Iterable[tuple[Cell, ...]]:
    for one in ec2.instances().values():
        left = one.allocatable()
        pods = (one.max_pods, one.max_pods_with_prefixes)
        sizes = (one.arch, one.vcpu, one.memory_mib, *pods, left.millicores, left.memory_mib)
        yield (one.name, *sizes, one.hourly_usd, one.monthly_usd, one.price_basis or "")


def _rds() -> Iterable[tuple[Cell, ...]]:
    for one in rds.classes().values():
        connections = (one.max_connections, one.usable_connections)
        yield (one.name, one.vcpu, one.memory_gib, *connections, one.hourly_usd)


def _kubernetes() -> Iterable[tuple[Cell, ...]]:
    for one in kubernetes.versions().values():
        ends = (one.upstream_end, one.eks_standard_end, one.eks_extended_end)
        yield (one.version, *ends, one.k3s_release)


def _charts() -> Iterable[tuple[Cell, ...]]:
    for one in charts.charts().values():
        yield (one.name, one.version, one.component, one.app_version, one.repository)


def _components() -> Iterable[tuple[Cell, ...]]:
    for one in components.components():
        span = "same minor version" if one.follows_kubernetes else one.range if one.known else None
        yield (one.component, one.version or "all", span, one.note)


def _prices() -> Iterable[tuple[Cell, ...]]:
    for one in prices.prices().values():
        yield (one.item, one.region, one.unit, one.usd, one.note)


def _addons() -> Iterable[tuple[Cell, ...]]:
    for one in addons.addons():
        replicas = "" if one.replicas is None else one.replicas
        sizes = (replicas, one.containers, one.millicores, one.memory_mib)
        yield (one.cluster, one.name, one.kind, *sizes, one.note)


def _workloads() -> Iterable[tuple[Cell, ...]]:
    for one in workloads.workloads():
        paths = " ".join(one.containers)
        yield (one.chart, one.name, one.namespace, one.kind, one.replicas or "", paths, one.note)


TABLES: dict[
    str, tuple[Callable[[], FactFile], tuple[str, ...], Callable[[], Iterable[tuple[Cell, ...]]]]
] = {
    "addons": (
        addons.data,
        ("cluster", "name", "kind", "replicas", "containers", "millicores", "memory_mib", "note"),
        _addons,
    ),
    "charts": (charts.data, ("chart", "version", "component", "release", "repository"), _charts),
    "components": (components.data, ("component", "release", "kubernetes", "note"), _components),
    "ec2": (
        ec2.data,
        (
            *("type", "arch", "vcpu", "memory_mib", "max_pods", "max_pods_prefixes"),
            *("allocatable_millicores", "allocatable_mib", "hourly_usd", "monthly_usd", "price_basis"),
        ),
        _ec2,
    ),
    "kubernetes": (
        kubernetes.data,
        ("version", "upstream_end", "eks_standard_end", "eks_extended_end", "k3s_release"),
        _kubernetes,
    ),
    "prices": (prices.data, ("item", "region", "unit", "usd", "note"), _prices),
    "rds": (
        rds.data,
        ("class", "vcpu", "memory_gib", "max_connections", "usable_connections", "hourly_usd"),
        _rds,
    ),
    "workloads": (
        workloads.data,
        ("chart", "name", "namespace", "kind", "replicas", "containers", "note"),
        _workloads,
    ),
}
