"""Ctrl-C and SIGTERM as an exception that never comes between starting a process and knowing of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, ClassVar

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody wants this to end."""


class Interrupts:
    """While in force, SIGINT, SIGTERM and SIGHUP raise `Interrupted` in the main thread.

    Within `held()` they wait until it ends. In another thread than the main one nothing is changed.
    """

    _came: ClassVar[bool] = False  # of the process: that is whom signals are for

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._held = 0
        self._pending = False

    def install(self) -> None:
        """Take over the signals."""
        if threading.current_thread() is threading.main_thread():
            Interrupts._came = False
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Signals wait until the block is done, also if it fails."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self.check()

    def check(self) -> None:
        """Raise what came while held."""
        if self._pending and not self._held:
            self._pending = False
            raise Interrupted

    @staticmethod
    def insist() -> None:
        """Raise again what got lost: who waits asks now and then.

        An exception in a destructor goes nowhere, and of HTTP answers many are destroyed.
        """
        if Interrupts._came and threading.current_thread() is threading.main_thread():
            raise Interrupted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        Interrupts._came = True
        if self._held:
            self._pending = True
        else:
            raise Interrupted
