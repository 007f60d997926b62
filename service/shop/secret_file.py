"""A secret in a file that may be replaced while the process runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

LOOK = 60.0
"""Seconds between two looks at a file: External Secrets brings a new one within the hour."""


class SecretFile:
    """The content of a file, read anew when it has changed, looked at once a minute at most.

    A file that is gone or empty for a moment (the kubelet swaps a symbolic link) leaves the last in force.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._content = ""
        self._previous: tuple[str, ...] = ()
        self._looked = float("-inf")

    def __repr__(self) -> str:  # never the content: this lands in logs
        return f"SecretFile({str(self.path)!r})"

    def read(self) -> str:
        """The content now, without surrounding space. ValueError where there never was one."""
        now = self._clock()
        if now - self._looked >= LOOK or not self._content:
            self._looked = now
            self._look()
        if not self._content:
            raise ValueError(f"{self.path} is empty or can not be read")
        return self._content

    def fresh(self) -> str:
        """The content, looked at just now: for what is asked seldom, such as a new connection's password."""
        self._looked = float("-inf")
        return self.read()

    def keys(self) -> list[str]:
        """Replaced contents of this process' life, oldest first, then the one in force: for verifying."""
        current = self.read()
        return [*self._previous, current]

    def _look(self) -> None:
        try:
            content = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return
        if content and content != self._content:
            if self._content:
                self._previous = (*self._previous[-3:], self._content)
            self._content = content
