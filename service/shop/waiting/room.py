"""The waiting room: opens when more want to check out than the shop can serve, closes when nobody waits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from shop.catalogue.catalogue import Catalogue
from shop.problems import Problem, unavailable
from shop.settings import Settings
from shop.waiting.line import LOOK, Line
from shop.waiting.tickets import Ticket, Tickets

CALM = 10.0
"""Seconds without anybody waiting until the room closes."""
SLOWEST = 20.0
"""Orders a second that are let in at least, however slow the shop is."""
PRESSURE = 0.25
"""Share of the writer's queue that opens the room."""
TICK = 0.5


class Writer(Protocol):
    """What the room watches of the order writer."""

    capacity: int
    committed: int

    @property
    def depth(self) -> int:
        """How many orders wait."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody is told: `open` (no waiting), `waiting`, `admitted` (with a pass) or `sold_out`."""

    state: str
    ticket: str = ""
    waiting_pass: str = ""
    retry_after: int = 0
    ahead: int = 0


class WaitingRoom:
    """One a pod. Pods need not agree: arrivals are compared with a threshold, and each pod's moves alike."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        writer: Writer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tickets = Tickets(settings.ticket_key_file)
        self._fixed_pace = settings.orders_per_second
        self._catalogue = catalogue
        self._writer = writer
        self._clock = clock
        self._line: Line | None = None
        self._calm_since = 0.0
        self._ticked = clock()
        self._asked = 0
        self._committed = 0
        self._pace = self._fixed_pace or SLOWEST

    @property
    def active(self) -> bool:
        """Whether an order needs a pass."""
        return self._line is not None

    @property
    def pace(self) -> float:
        """Orders a second that are let in while the room is active."""
        return self._pace

    def enter(self, key: str, products: tuple[str, ...]) -> Place:
        """Come to the checkout, for the order with this key, to buy these products."""
        now = self._clock()
        self._tick(now)
        if self._line is None:
            return Place("open")
        return self._look(self._line, Ticket(now, key, products), now)

    def poll(self, text: str) -> Place:
        """Ask again with a ticket. Problem 400 or 410 where it is none."""
        now = self._clock()
        self._tick(now)
        ticket = self._tickets.read(text, now)
        if self._line is None:
            return Place("open")
        return self._look(self._line, ticket, now)

    def admit(self, key: str, waiting_pass: str | None) -> None:
        """Let an order through. Problem 503 `waiting_room` where it needs a pass and has none for its key."""
        now = self._clock()
        self._asked += 1
        self._tick(now)
        if self._line is None or (waiting_pass and self._tickets.allows(waiting_pass, key, now)):
            return
        raise unavailable(
            "waiting_room", "many are ordering: take a place at /api/v1/waiting-room", int(LOOK)
        )

    def _look(self, line: Line, ticket: Ticket, now: float) -> Place:
        if self._sold_out(ticket.products):
            return Place("sold_out")
        text = self._tickets.ticket(ticket)
        if line.admits(ticket.arrival):
            return Place("admitted", text, self._tickets.grant(ticket.key, now))
        line.count(ticket.arrival, now)
        retry = round(LOOK + random.uniform(-1, 1))  # noqa: S311 -- so that they do not come all at once
        return Place("waiting", text, retry_after=retry, ahead=line.ahead(ticket.arrival, now))

    def _sold_out(self, products: tuple[str, ...]) -> bool:
        """Whether waiting is in vain: one of them is gone, or was never there."""
        try:
            known = self._catalogue.snapshot.products
        except Problem:  # not loaded: nothing is known to be gone
            return False
        return any(slug not in known or known[slug].stock == "sold_out" for slug in products)

    def _tick(self, now: float) -> None:
        elapsed = now - self._ticked
        if elapsed < TICK:
            return
        asked, self._asked = self._asked / elapsed, 0
        done, self._committed = self._writer.committed - self._committed, self._writer.committed
        self._ticked = now
        if not self._fixed_pace:
            self._pace = max(SLOWEST, done / elapsed)
        pressed = self._writer.depth > self._writer.capacity * PRESSURE
        if self._line is None:
            if pressed or (self._fixed_pace and asked > self._fixed_pace):
                self._line, self._calm_since = Line(now), now
            return
        self._line.advance(now, 0.0 if pressed else self._pace)
        if pressed or not self._line.empty(now):
            self._calm_since = now
        elif now - self._calm_since > CALM:
            self._line = None
