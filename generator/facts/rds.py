"""RDS for PostgreSQL instance classes: sizes, connections, on-demand price in ap-southeast-1."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from generator.facts.source import FactFile, Row, Source, read_facts

# RDS's own default for PostgreSQL: LEAST(DBInstanceClassMemory/9531392, 5000).
BYTES_A_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000
SUPERUSER_RESERVED = 3


@dataclass(frozen=True, slots=True)
class Database:
    """An instance class. `hourly_usd` is None where unknown."""

    name: str
    vcpu: int
    memory_gib: int
    hourly_usd: Decimal | None
    note: str
    sources: tuple[Source, ...]

    @property
    def burstable(self) -> bool:
        """Whether its CPU lives on credits: slow, or charged extra, once they are spent."""
        return self.name.startswith("db.t")

    @property
    def max_connections(self) -> int:
        """PostgreSQL's `max_connections` if all of the nominal memory counted."""
        return min(self.memory_gib * 2**30 // BYTES_A_CONNECTION, MOST_CONNECTIONS)

    @property
    def usable_connections(self) -> int:
        """Connections to plan with: nine tenths, and the superuser's three are already taken off.

        RDS counts a little less than the nominal memory; how much is not published, the tenth is this
        project's margin.
        """
        return self.max_connections * 9 // 10 - SUPERUSER_RESERVED


@cache
def classes() -> dict[str, Database]:
    """Every known class, by name."""
    return data().indexed("name", _database)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("rds")


def _database(row: Row) -> Database:
    return Database(**{**row, "sources": data().sources_of(row)})
