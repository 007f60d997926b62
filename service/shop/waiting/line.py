"""The moving threshold: who came before it is let in. Pure; time comes in as a number of seconds."""

from __future__ import annotations

LOOK = 5.0
"""Seconds between two questions of somebody who waits."""
LONGEST_LINE = 4 * 3600
"""Seconds of arrival that are kept apart; older ones count as one."""
BURST = 2.0
"""Seconds of pace that may be let in at once after a quiet moment."""


class Line:
    """Counts who waits by the second of their arrival, and advances the threshold at a pace."""

    def __init__(self, now: float) -> None:
        self.threshold = now
        self._last: dict[int, int] = {}
        self._current: dict[int, int] = {}
        self._turned = now
        self._advanced = now
        self._budget = 0.0

    def admits(self, arrival: float) -> bool:
        """Whether who came then is let in now."""
        return arrival <= self.threshold

    def count(self, arrival: float, now: float) -> None:
        """Somebody who came then asks, and waits on."""
        self._turn(now)
        second = max(int(arrival), int(now) - LONGEST_LINE)
        self._current[second] = self._current.get(second, 0) + 1

    def ahead(self, arrival: float, now: float) -> int:
        """About how many, who wait here, came earlier."""
        self._turn(now)
        return sum(count for second, count in self._waiting().items() if second < int(arrival))

    def empty(self, now: float) -> bool:
        """Whether nobody has asked for a while who is not let in."""
        self._turn(now)
        return not self._waiting()

    def advance(self, now: float, pace: float) -> None:
        """Let in as many as `pace` (a second) allows since the last time, the earliest first."""
        self._turn(now)
        elapsed = max(0.0, now - self._advanced)
        self._advanced = now
        self._budget = min(self._budget + elapsed * pace, max(1.0, pace * BURST))
        for second, count in sorted(self._waiting().items()):
            begin = max(self.threshold, float(second))
            share = (second + 1 - begin) * count  # arrivals of a second are spread over it
            if share > self._budget:
                self.threshold = begin + self._budget / count
                self._budget = 0.0
                return
            self._budget -= share
            self.threshold = float(second + 1)

    def _waiting(self) -> dict[int, int]:
        """By second of arrival: those of the last whole interval, or of this one where it knows of more."""
        seconds = self._last.keys() | self._current.keys()
        return {
            second: max(self._last.get(second, 0), self._current.get(second, 0))
            for second in seconds
            if second + 1 > self.threshold
        }

    def _turn(self, now: float) -> None:
        if now - self._turned >= LOOK:
            quiet = now - self._turned >= 2 * LOOK
            self._last = {} if quiet else self._current
            self._current = {}
            self._turned = now
