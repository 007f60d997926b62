"""A store that already has the CustomResourceDefinitions, kept from an earlier start: saves ten seconds.

The API server takes 0.1 to 1.7 s for each CRD. So etcd's files are copied once they are in, and the next
test bed of the same programs and CRDs starts from the copy. Nothing of an environment is in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

KEPT = 4
"""Seeds that stay: one for each environment's set of kinds, and one more."""


def place(cache: Path, programs: Iterable[Path], crds: Iterable[Path]) -> Path:
    """Where the seed of these programs and CRDs lies, or will."""
    key = hashlib.sha256()
    for program in programs:
        found = program.stat()
        key.update(f"{program.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    for crd in crds:
        key.update(hashlib.sha256(crd.read_bytes()).digest())
    return cache / key.hexdigest()[:20]


def plant(seed: Path, data: Path) -> bool:
    """Copy a seed to where etcd will look for its data; whether there was one."""
    if not seed.is_dir():
        return False
    shutil.copytree(seed, data)
    data.chmod(0o700)
    with suppress(OSError):
        os.utime(seed)  # the least recently used goes first
    return True


def keep(seed: Path, data: Path, etcd: int) -> None:
    """Copy the data of the running etcd with this process id. Not having a seed is no failure.

    The process stands still meanwhile, so the copy is what a crash would leave, which etcd recovers from.
    """
    with suppress(OSError):
        seed.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".seed-", dir=seed.parent))
        try:
            os.kill(etcd, signal.SIGSTOP)
            try:
                spare = shutil.ignore_patterns("*.tmp")  # the next segment of the log, still empty
                shutil.copytree(data, fresh, dirs_exist_ok=True, ignore=spare)
            finally:
                os.kill(etcd, signal.SIGCONT)
            fresh.rename(seed)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        _prune(seed.parent)


def _prune(cache: Path) -> None:
    seeds = sorted((path for path in cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in seeds[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
