"""All tests of this folder, in two lanes side by side: `python -m cluster.lanes [ARGUMENTS OF PYTEST]`.

A test waits half of its time, so two processes at once use two cores well; more would need more memory.
Each takes a group of files, the longest groups first; what it says is shown when it has ended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Self

HERE = Path(__file__).parent
LANES = 2
SHARED = "test_gitops_"  # these files share the session's test bed
LONGEST = (SHARED, "test_behaviour", "test_bed", "test_admission")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BROKEN_OFF = 2  # as pytest says it
NOTHING_CHOSEN = 5  # pytest's exit status where `-k` leaves nothing of a group


def groups(files: Iterable[Path]) -> list[list[Path]]:
    """Files that run in one process, the longest groups first; a new file is a group of its own."""
    found: dict[str, list[Path]] = {}
    for file in sorted(files):
        found.setdefault(SHARED if file.name.startswith(SHARED) else file.name, []).append(file)
    return [found[name] for name in sorted(found, key=_rank)]


def status(statuses: Sequence[int]) -> int:
    """The exit status of all: that of the worst, and a failure where nothing was chosen at all."""
    ran = [each for each in statuses if each != NOTHING_CHOSEN]
    return max(map(abs, ran), default=NOTHING_CHOSEN)


def _rank(name: str) -> int:
    return next((rank for rank, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


class Runs:
    """The processes of pytest. A signal that ends us ends them, each once, and no other is started."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._running: set[subprocess.Popen[str]] = set()
        self._ending = False

    def install(self) -> None:
        """Take over the signals that ask for the end."""
        for number in SIGNALS:
            signal.signal(number, self._end)

    def run(self, files: Sequence[Path]) -> int:
        """Run a group; its exit status, once what it said is printed."""
        if self._ending:
            return BROKEN_OFF
        begun = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", "-m", "cluster", *map(str, files), *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # else a Ctrl-C would reach it twice
        ) as process:
            self._running.add(process)
            said, _ = process.communicate()
            self._running.discard(process)
        names = " ".join(file.stem for file in files)
        print(f"-- {names}, {time.monotonic() - begun:.0f} s\n{said}", flush=True)
        return process.returncode

    def _end(self, number: int, frame: FrameType | None) -> None:
        if not self._ending:
            self._ending = True
            for process in list(self._running):
                process.send_signal(signal.SIGINT)


class Memory:
    """How much less memory the machine had to give, at most, between `with` and its end, in GiB.

    Of the whole machine, so that it is only true where nothing else runs; shared pages count once.
    """

    def __enter__(self) -> Self:
        self._before = self._least = _available()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.used = (self._before - self._least) / 2**20

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            self._least = min(self._least, _available())


def _available() -> int:
    """KiB that the system could give to programs without swapping."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


def main(arguments: Sequence[str]) -> int:
    """Run every group; the exit status."""
    begun = time.monotonic()
    runs = Runs(arguments)
    runs.install()
    with Memory() as memory, ThreadPoolExecutor(LANES) as lanes:
        ended = list(lanes.map(runs.run, groups(HERE.glob("test_*.py"))))
    print(f"all of it: {time.monotonic() - begun:.0f} s, {memory.used:.1f} GiB of memory at most")
    return status(ended)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
