"""Whole processes, as a user starts them: wall time, CPU time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall and CPU (user and system, children included), and the largest process's peak in MiB."""

    wall: float
    cpu: float
    mib: float


def run(command: Sequence[str | Path], folder: Path) -> Cost:
    """One run, its output thrown away; SystemExit with its last words if it fails."""
    started = time.perf_counter()
    # As on a user's machine: compiled modules are kept.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(  # noqa: S603 - our own commands
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr
        words = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(
            f"{command[0]} ended with {process.returncode}: {words.decode(errors='replace')[-2000:]}"
        )
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(
    command: Sequence[str | Path], folder: Path, runs: int, before: Callable[[], object] = lambda: None
) -> Cost:
    """The median of each figure over `runs`; `before` each run things are put back."""
    costs = []
    for _ in range(runs):
        before()
        costs.append(run(command, folder))
    return Cost(
        *(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "mib"))
    )
