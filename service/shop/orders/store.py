"""What the writer needs of a database: one transaction a batch. Each database has a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from shop.orders.allocate import Decision, Item, PlaceOrder


class Stored(NamedTuple):
    """The answer to a key: new, or `replayed` from the first time."""

    status: int
    body: bytes
    replayed: bool = False


class Kept(NamedTuple):
    """What the database keeps of a key."""

    fingerprint: bytes
    status: int
    body: bytes


class BrokenError(Exception):
    """The connection broke: whether the batch was committed is unknown, and running it again is safe."""


class FullError(Exception):
    """The database can not take more, or refuses; nothing of the batch was written."""


Decide = Callable[[Iterable[PlaceOrder], Mapping[str, Item]], Decision]


class Result(NamedTuple):
    """A committed batch: what was decided now, and what keys of earlier times had been answered."""

    decision: Decision
    kept: Mapping[str, Kept]


class Store(Protocol):
    """One connection of the writer's own."""

    async def open(self) -> None:
        """Connect. BrokenError when that fails."""

    async def close(self) -> None:
        """Let go, whatever state the connection is in."""

    async def commit(self, batch: Mapping[str, PlaceOrder], decide: Decide) -> Result:
        """Decide and write a batch, by key, in one durable transaction. BrokenError or FullError."""
