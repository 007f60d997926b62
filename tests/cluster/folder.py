"""The one folder of a test bed: claimed by one process, recognised and cleaned if that one was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from cluster.errors import BedError

OWNER, CHILDREN = "owner.json", "children"
NEEDED = 600 * 2**20
"""Bytes that a test bed of an environment takes at most: etcd's log, caches, program logs."""

PROC = Path("/proc")


def claim(folder: Path) -> Path:
    """Make `folder` ours, empty; what a killed run left in it is ended and removed first.

    BedError if another test bed lives there, if it holds something else, or if the disk is full.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _check_space(folder.parent)
    clean(folder)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    fresh.chmod(0o755)
    (fresh / OWNER).write_text(json.dumps({"pid": os.getpid(), "started": _started(os.getpid())}))
    try:
        fresh.rename(folder)  # takes the place of an empty folder only: of two at once, one wins
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise BedError(f"{folder} was taken by another test bed just now: try again") from error
    return folder


def clean(folder: Path) -> list[str]:
    """Remove what a killed run left: its processes, by name, then its files. The names of those ended."""
    if not folder.exists() or not any(folder.iterdir()):
        return []
    owner = owner_of(folder)
    if owner is not None:
        raise BedError(
            f"a test bed runs in {folder} (process {owner}): end it first (`make cluster-down`), "
            "or name another folder"
        )
    if not (folder / OWNER).is_file():
        raise BedError(f"{folder} holds something else than a test bed: remove it, or name another folder")
    ended = end_leftovers(folder)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise BedError(f"the rest of a killed test bed in {folder} cannot be removed: remove it by hand")
    return ended


def owner_of(folder: Path) -> int | None:
    """The id of the living process that a test bed in `folder` belongs to."""
    try:
        said = json.loads((folder / OWNER).read_text())
        pid, started = int(said["pid"]), str(said["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if _started(pid) == started else None


def record(folder: Path, pid: int, name: str) -> None:
    """Write down a child, so that a later run can end it if we are killed."""
    with (folder / CHILDREN).open("a") as file:
        file.write(f"{pid} {name}\n")


def end_leftovers(folder: Path) -> list[str]:
    """End the recorded children that still run, if they verifiably are ours; their names."""
    ours = [(pid, name) for pid, name in _recorded(folder) if is_ours(pid, folder)]
    for pid, _ in ours:
        _kill(pid)  # nothing of it is worth an orderly end: its data is thrown away
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(is_ours(pid, folder) for pid, _ in ours):
        time.sleep(0.05)
    return [name for _, name in ours]


def is_ours(pid: int, folder: Path) -> bool:
    """Whether a process is one that a test bed in `folder` started: its command line names the folder."""
    return f"{folder}/" in command_line(pid)


def command_line(pid: int) -> str:
    """The command line of a process, empty if there is none of this id."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps(pid, "args=")


def _started(pid: int) -> str:
    """When a process was started, in whatever unit: tells it from a later one of the same id."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
        except (OSError, IndexError):
            return ""
    return _ps(pid, "lstart=")


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-ww", "-o", column, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def children(folder: Path) -> dict[str, int]:
    """Name → process id of the recorded children that still run."""
    return {name: pid for pid, name in _recorded(folder) if is_ours(pid, folder)}


def _recorded(folder: Path) -> list[tuple[int, str]]:
    try:
        lines = (folder / CHILDREN).read_text().splitlines()
    except OSError:
        return []
    found = [line.partition(" ") for line in lines]
    return [(int(pid), name) for pid, _, name in found if pid.isdigit()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED:
        raise BedError(
            f"{folder}: {free // 2**20} MiB free, a test bed takes up to {NEEDED // 2**20} MiB: make room"
        )


def clean_own(folder: Path) -> None:
    """Empty our own folder for another attempt; logs of the last one go."""
    for path in folder.iterdir():
        if path.name == OWNER:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
