"""All tests of this folder, in two lanes side by side: `python -m cluster.lanes [ARGUMENTS OF PYTEST]`.

A test waits half of its time, so two processes at once use two cores well; more would need more memory.
Each takes a group of files, the longest groups first; what it says is shown when it has ended.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
LANES = 2
SHARED = "test_gitops_"  # these files share the session's test bed
LONGEST = (SHARED, "test_behaviour", "test_bed", "test_admission")
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


def _run(files: Sequence[Path], arguments: Sequence[str]) -> int:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "cluster", *map(str, files), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    names = " ".join(file.stem for file in files)
    print(f"-- {names}, {time.monotonic() - begun:.0f} s\n{done.stdout}", flush=True)
    return done.returncode


def main(arguments: Sequence[str]) -> int:
    """Run every group; the exit status."""
    with ThreadPoolExecutor(LANES) as lanes:
        return status(list(lanes.map(lambda files: _run(files, arguments), groups(HERE.glob("test_*.py")))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
