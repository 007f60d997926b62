"""On-demand prices of what is neither an EC2 type nor an RDS class."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from generator.facts.source import FactFile, Row, Source, read_facts

ANY_REGION = "*"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one `unit` (hour, GB-month…) of an item in a region; None is unknown."""

    item: str
    region: str
    unit: str
    usd: Decimal | None
    note: str
    sources: tuple[Source, ...]


def price(item: str, region: str) -> Price:
    """The price of an item in a region, else the one of all regions; KeyError if neither was recorded."""
    found = prices()
    return found[item, region] if (item, region) in found else found[item, ANY_REGION]


@cache
def prices() -> dict[tuple[str, str], Price]:
    """Every recorded price, by item and region."""
    return {(row["item"], row["region"]): _price(row) for row in data().rows}


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("prices")


def _price(row: Row) -> Price:
    return Price(**{**row, "sources": data().sources_of(row)})
