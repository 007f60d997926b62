"""Child processes with a log file, started, watched and ended by their id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOG_LINES = 25  # of a program that failed, in the error message
POLL = 0.05  # seconds


class ProcessError(RuntimeError):
    """A program ended by itself or was not ready in time. The message has the end of its log."""


class Process:
    """One running program. `stop` ends it and waits, at most `grace` seconds before it is killed.

    `executable` is what runs where the first word of `command` is only the name that it goes by.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        executable: Path | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                executable=executable,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C meant for the tests must not end etcd before the apiserver
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._child.poll()

    def terminate(self) -> None:
        """Ask it to end, without waiting."""
        if self.running:
            self._child.send_signal(signal.SIGTERM)

    def stop(self, grace: float = 10) -> None:
        """End it; returns when it is gone."""
        self.terminate()
        try:
            self._child.wait(grace)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def wait_until(ready: Callable[[], bool], what: str, processes: Sequence[Process], timeout: float) -> None:
    """Return when `ready()`; ProcessError if one of `processes` ends or `timeout` seconds pass before."""
    deadline = time.monotonic() + timeout
    while not ready():
        for process in processes:
            if not process.running:
                raise ProcessError(f"{process.name} ended while waiting for {what}:\n{process.last_words()}")
        if time.monotonic() > deadline:
            words = "\n".join(f"-- {process.name}\n{process.last_words()}" for process in processes)
            raise ProcessError(f"no {what} within {timeout:g} s\n{words}")
        time.sleep(POLL)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [bound.getsockname()[1] for bound in sockets]
    finally:
        for bound in sockets:
            bound.close()
