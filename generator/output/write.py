"""Changes → disk, whole or not at all.

All new content is staged beside its place first, so a full disk changes nothing. Then files are exchanged by
renaming, each step remembered with the one that takes it back. A run that is killed between two steps leaves
a record which knows each file as before and as after; the next run finishes the work.
"""

# Plain system calls instead of Path objects: half the time over ten thousand files.
# ruff: noqa: PTH102, PTH105, PTH106, PTH108, PTH112, PTH120, PTH208
from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from generator.output.changes import Changes, plan, read_plain, refusals, shown
from generator.output.record import RECORD, format_meanwhile, format_record
from generator.problem import Place, Problem, ProblemsError

__all__ = ["Changes", "apply", "apply_all", "plan"]

STAGING = ".rendered-staging"

_REMEDIES = {
    errno.ENOSPC: "Free some space on the disk and run again.",
    errno.EDQUOT: "Free some space in your quota and run again.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f) and run again.",
    errno.EACCES: "Make the folder writable for you and run again.",
    errno.EPERM: "Make the folder writable for you and run again.",
    errno.EROFS: "Make the file system writable and run again.",
}


def apply(changes: Changes, folder: str | os.PathLike[str], *, force: bool = False) -> None:
    """`apply_all` for one folder."""
    apply_all([(changes, folder)], force=force)


def apply_all(work: Iterable[tuple[Changes, str | os.PathLike[str]]], *, force: bool = False) -> None:
    """Make every folder what its changes say, all of them or none.

    Writes nothing at all where nothing differs. `force` overrules edits by hand; what is not ours stays.
    Raises ProblemsError with the folders as they were: DC-OUT-003 and -004 (see `refusals`), DC-OUT-006 (the
    system refused: disk full, no permission), DC-OUT-007 (another run is writing or has written meanwhile).
    """
    jobs = [_Job(changes, os.fspath(folder)) for changes, folder in work]
    jobs = [job for job in jobs if not job.changes.empty or os.path.lexists(job.staging)]
    refused = [problem for job in jobs for problem in refusals(job.changes, job.folder, force=force)]
    if refused:
        raise ProblemsError(refused)
    steps = _Steps()
    with ExitStack() as locks:
        try:
            for job in jobs:
                steps.make_folder(job.folder)
                locks.enter_context(_locked(job.folder))
                job.stage(steps)
            for job in jobs:
                job.exchange(steps)
            for job in jobs:
                job.finish()
        except BaseException as error:  # also Ctrl-C
            stuck = steps.take_back()
            if isinstance(error, OSError):
                raise ProblemsError([_failure(error, jobs, stuck)]) from error
            raise
        for job in jobs:
            # The work is done; what cannot be cleared away now is by the next run.
            with suppress(OSError):
                _clear(job.staging)
                if not job.changes.content:
                    os.rmdir(job.folder)


class _Steps:
    """Steps taken, each with the one that takes it back."""

    def __init__(self) -> None:
        self._back: list[tuple[Callable[..., None], tuple[str, ...]]] = []

    def move(self, source: str, target: str) -> None:
        os.replace(source, target)
        self.on_failure(os.replace, target, source)

    def make_folder(self, folder: str) -> None:
        """With its parents, as far as they are missing."""
        if not folder or os.path.isdir(folder):
            return
        self.make_folder(os.path.dirname(folder))
        with suppress(FileExistsError):  # another run was quicker; if it is no folder, the next step fails
            os.mkdir(folder)
            self.on_failure(os.rmdir, folder)

    def drop_folder(self, folder: str) -> None:
        """If it is empty."""
        with suppress(OSError):
            os.rmdir(folder)
            self.on_failure(os.mkdir, folder)

    def on_failure(self, step: Callable[..., None], *arguments: str) -> None:
        self._back.append((step, arguments))

    def take_back(self) -> list[str]:
        """Undo everything, last step first. Returns what could not be put back."""
        stuck: list[str] = []
        for step, arguments in reversed(self._back):
            if stuck and step is _clear:
                continue  # what could not be put back lies there
            try:
                step(*arguments)
            except OSError:
                stuck.append(arguments[-1])
        return stuck


@dataclass(frozen=True, slots=True)
class _Job:
    """One folder's part of the work. `edited` files get here only if forced."""

    changes: Changes
    folder: str

    @property
    def staging(self) -> str:
        return f"{self.folder}/{STAGING}"

    @property
    def record(self) -> str:
        return f"{self.folder}/{RECORD}"

    @property
    def _writes(self) -> list[str]:
        edited = (path for path in self.changes.edited if path in self.changes.content)
        return [*self.changes.added, *self.changes.changed, *edited]

    @property
    def _removals(self) -> list[str]:
        edited = (path for path in self.changes.edited if path not in self.changes.content)
        return [*self.changes.removed, *edited]

    def stage(self, steps: _Steps) -> None:
        """Write all that is new into the staging folder, where a failure harms nothing."""
        changes = self.changes
        if read_plain(self.record) != changes.old_record_bytes:
            raise ProblemsError([_busy(self.folder, "was rendered by another run meanwhile")])
        _clear(self.staging)  # of a run that was killed
        os.mkdir(self.staging)
        steps.on_failure(_clear, self.staging)
        for number, path in enumerate(self._writes):
            _create(f"{self.staging}/{number}", changes.content[path])
        _create(f"{self.staging}/record", format_record(changes.record))
        _create(f"{self.staging}/record-meanwhile", format_meanwhile(changes.old_record, changes.record))
        if changes.old_record_bytes is not None:
            _create(f"{self.staging}/record-before", changes.old_record_bytes)

    def exchange(self, steps: _Steps) -> None:
        """Old files into the staging folder, new files into their places."""
        # The record is overwritten, never moved away: a run killed here must find one.
        os.replace(f"{self.staging}/record-meanwhile", self.record)
        if self.changes.old_record_bytes is None:
            steps.on_failure(os.unlink, self.record)
        else:
            steps.on_failure(os.replace, f"{self.staging}/record-before", self.record)
        writes, removals, added = self._writes, self._removals, len(self.changes.added)
        for folder in sorted({os.path.dirname(path) for path in writes}):
            steps.make_folder(f"{self.folder}/{folder}" if folder else self.folder)
        for number, path in enumerate(writes):
            target = f"{self.folder}/{path}"
            if number >= added:
                steps.move(target, f"{self.staging}/old-{number}")
            elif os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "appeared while rendering", target)
            steps.move(f"{self.staging}/{number}", target)
        for number, path in enumerate(removals):
            steps.move(f"{self.folder}/{path}", f"{self.staging}/removed-{number}")
        for folder in sorted(_parents(removals), reverse=True):
            steps.drop_folder(f"{self.folder}/{folder}")

    def finish(self) -> None:
        """Set the record to what is there now. An empty tree needs none."""
        if self.changes.content:
            os.replace(f"{self.staging}/record", self.record)
        else:
            os.unlink(self.record)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """One run at a time. The lock lies on the folder itself and ends with the process, however that ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProblemsError([_busy(folder, "is being rendered by another run")]) from None
        yield
    finally:
        os.close(handle)


def _create(path: str, content: bytes) -> None:
    """A new file. Not synced to the disk one by one: Git and a second run restore what a power cut takes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        # A disk that fills up takes a part first and refuses the rest.
        while written := os.write(handle, content):
            content = content[written:]
    finally:
        os.close(handle)


def _clear(staging: str) -> None:
    """Delete a staging folder, if there is one. It is flat and all in it is ours."""
    try:
        names = os.listdir(staging)
    except FileNotFoundError:
        return
    for name in names:
        os.unlink(f"{staging}/{name}")
    os.rmdir(staging)


def _parents(paths: Iterable[str]) -> set[str]:
    parents = set()
    for path in paths:
        while path := os.path.dirname(path):
            parents.add(path)
    return parents


def _busy(folder: str, what: str) -> Problem:
    hint = "Wait until that has ended, then run again. Nothing was changed."
    return Problem("DC-OUT-007", f"the folder {what}", hint, where=Place(shown(folder)))


def _failure(error: OSError, jobs: list[_Job], stuck: list[str]) -> Problem:
    # Names in the staging folder mean nothing to anyone: tell the folder.
    names = [str(name).partition(f"/{STAGING}") for name in (error.filename2, error.filename) if name]
    culprit = min(names, key=lambda name: len(name[1]))[0] if names else jobs[0].folder
    remedy = _REMEDIES.get(error.errno or 0, "Remove the cause and run again.")
    lost = ", ".join(map(shown, stuck))
    outcome = f"Not put back: {lost}. Restore them from Git." if lost else "Everything is as it was before."
    message = f"could not write: {error.strerror}"
    return Problem("DC-OUT-006", message, f"{remedy} {outcome}", where=Place(shown(culprit)))
