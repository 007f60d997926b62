"""How often one client may: token buckets by address, the oldest forgotten first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from shop.problems import Problem

CLIENTS = 50_000
"""Addresses that are remembered, some 10 MB at most."""


class Rate:
    """So many a minute for each client, a minute's worth at once. Each pod counts for itself."""

    def __init__(self, a_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = max(1.0, a_minute)
        self._a_second = a_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """0, and one is taken; else the seconds until there is another one."""
        now = self._clock()
        tokens, since = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._a_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._a_second
        self._buckets[client] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return wait


def too_often(wait: float) -> Problem:
    """429 that says when to come again."""
    seconds = max(1, round(wait + 0.5))
    return Problem(
        429,
        "slow_down",
        "too many from your address",
        headers={"Retry-After": str(seconds)},
        retry_after=seconds,
    )
