"""The shape of every file of facts: a date, named sources, and rows that name the sources they come from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

DATA = Path(__file__).with_name("data")
Row = Mapping[str, Any]
Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read. `date` is the source's own, else when it was read: YYYY[-MM[-DD]]."""

    text: str
    date: str


@dataclass(frozen=True, slots=True)
class FactFile:
    """One file of `data/`, as it stands. `date` is when the file was last gone through."""

    title: str
    date: date
    rows: tuple[Row, ...]
    sources: Mapping[str, Source]

    def sources_of(self, row: Row) -> tuple[Source, ...]:
        """The sources that a row names."""
        return tuple(self.sources[name] for name in row["sources"])

    def indexed(self, key: str, fact: Callable[[Row], Fact]) -> dict[str, Fact]:
        """Rows as facts, by the value of one column, in the file's order."""
        return {row[key]: fact(row) for row in self.rows}


def read_facts(name: str) -> FactFile:
    """Read `data/<name>.json`. Numbers with a point are exact decimals."""
    data = json.loads((DATA / f"{name}.json").read_bytes(), parse_float=Decimal)
    sources = {name: Source(**source) for name, source in data["sources"].items()}
    return FactFile(data["title"], date.fromisoformat(data["date"]), tuple(data["rows"]), sources)


def day(text: str | None) -> date | None:
    """YYYY-MM-DD → date; unknown stays unknown."""
    return date.fromisoformat(text) if text else None


def release(version: str) -> tuple[int, ...]:
    """Version → numbers that compare: "v3.4.4" → (3, 4, 4). ValueError for anything else."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))
