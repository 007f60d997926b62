"""How many requests may be under way: a limit that follows what the shop can do, and who goes first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SHARE: Mapping[str, float] = MappingProxyType({"checkout": 1.0, "cart": 0.8, "browse": 0.6})
"""Class → up to which share of the limit it is let in: an order goes on where looking around waits."""
TARGET: Mapping[str, float] = MappingProxyType({"checkout": 0.2, "cart": 0.1, "browse": 0.15})
"""Class → seconds that a request of it should take at most."""
FLOOR, START, CEILING = 16, 64, 2048
GATEWAY = "gateway"
"""The class of what waits for a payment's gateway."""
AT_GATEWAYS = 256
"""How many of it may be under way."""
WINDOW = 32
"""Requests between two looks at the limit."""
GROW, SHRINK, COLLAPSE = 1.05, 0.85, 0.5
"""What a window changes the limit by; what takes many times too long shrinks it at once."""


class Limiter:
    """Counts requests under way. AIMD over their latency: what gets slow is let less in at once.

    Requests that wait for a payment's gateway are counted apart: however long it hangs, that says nothing
    about the shop, and they may not take the others' places.
    """

    def __init__(self, floor: int = FLOOR) -> None:
        self.floor = floor
        self.limit = float(max(START, floor))
        self.in_flight = 0
        self.at_gateways = 0
        self._count = 0
        self._slow = 0
        self._excess = 0.0
        self._peak = 0

    @property
    def under_way(self) -> int:
        """All requests that were let in and have not ended."""
        return self.in_flight + self.at_gateways

    def enter(self, kind: str) -> bool:
        """Whether a request of a class is let in; then `leave` must follow."""
        if kind == GATEWAY:
            let_in = self.at_gateways < AT_GATEWAYS
            self.at_gateways += let_in
            return let_in
        if self.in_flight >= self.limit * SHARE[kind]:
            return False
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        return True

    def leave(self, kind: str, seconds: float) -> None:
        """A request that was let in has ended, after so long."""
        if kind == GATEWAY:
            self.at_gateways -= 1
            return
        self.in_flight -= 1
        self._count += 1
        self._slow += seconds > TARGET[kind]
        self._excess += seconds / TARGET[kind]
        if self._count >= WINDOW:
            self._adapt()

    def _adapt(self) -> None:
        if self._slow * 5 > self._count:
            factor = min(SHRINK, max(COLLAPSE, self._count / self._excess))
            self.limit = max(float(self.floor), self.limit * factor)
        elif self._peak > self.limit / 2:  # what nobody needs is not learnt from
            self.limit = min(float(CEILING), self.limit * GROW + 1)
        self._count = self._slow = self._peak = 0
        self._excess = 0.0
