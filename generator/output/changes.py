"""A rendered tree beside the folder it belongs in: what differs, and what must not be overwritten."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from generator.output.record import RECORD, Record, format_record, parse_record, record_of
from generator.problem import Place, Problem, ProblemsError

State = Literal["added", "changed", "removed", "unchanged", "edited", "foreign", "gone"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What writing a tree would do to its folder. All paths are relative to that and sorted.

    `edited` are files of ours that someone changed by hand: neither what was last written nor what would be.
    `foreign` maps a path in the way to what stands there that is not ours to replace. Both are in none of the
    other lists, and `refusals` turns them into problems.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    edited: tuple[str, ...]
    foreign: Mapping[str, str]
    content: Mapping[str, bytes] = field(repr=False)
    record: Record = field(repr=False)
    """The record as it will be."""
    old_record: Record = field(repr=False)
    old_record_bytes: bytes | None = field(repr=False)
    """As found on disk, None if there is none."""

    @property
    def empty(self) -> bool:
        """Whether the folder is what is rendered, its record included, so that nothing has to be written."""
        differs = self.added or self.changed or self.removed or self.edited or self.foreign
        record = format_record(self.record) if self.content else None
        return not differs and record == self.old_record_bytes


def plan(tree: Mapping[str, bytes], folder: str | os.PathLike[str]) -> Changes:
    """Compare `tree` with `folder`, which need not exist. Reads only.

    Raises ProblemsError: DC-OUT-005 for a record that cannot be understood, DC-OUT-006 for one that cannot
    be read.
    """
    root = os.fspath(folder)
    old_bytes = _read_record(root)
    old = parse_record(old_bytes, shown(f"{root}/{RECORD}")) if old_bytes is not None else {}
    foreign = dict(_blocked_folders(root, {*tree, *old}))
    out_of_reach = tuple(f"{folder}/" for folder in foreign)
    lists: dict[State, list[str]] = {}
    for path in sorted({*tree, *old}):
        if path.startswith(out_of_reach):
            continue
        try:
            state = compare(tree.get(path), read_plain(f"{root}/{path}"), old.get(path, ()))
        except OSError as error:
            foreign[path] = _in_the_way(error)
            continue
        if state == "foreign":
            foreign[path] = f"a file that {RECORD} does not list"
        lists.setdefault(state, []).append(path)
    if _read_record(root) != old_bytes:
        return plan(tree, folder)  # another run was writing while we read
    return Changes(
        added=tuple(lists.get("added", ())),
        changed=tuple(lists.get("changed", ())),
        removed=tuple(lists.get("removed", ())),
        unchanged=tuple(lists.get("unchanged", ())),
        edited=tuple(lists.get("edited", ())),
        foreign=foreign,
        content=tree,
        record=record_of(tree),
        old_record=old,
        old_record_bytes=old_bytes,
    )


def _read_record(root: str) -> bytes | None:
    file = f"{root}/{RECORD}"
    try:
        return read_plain(file)
    except OSError as error:
        message = f"the record of rendered files cannot be read: {error.strerror}"
        hint = "It must be a plain file that you may read, in a folder of its environment."
        raise ProblemsError([Problem("DC-OUT-006", message, hint, where=Place(shown(file)))]) from error


def compare(wanted: bytes | None, there: bytes | None, ours: Iterable[str]) -> State:
    """The state of one file: what it is to hold, what it holds (None: no such file), and our hashes of it."""
    if there is None:
        return "gone" if wanted is None else "added"
    if there == wanted:
        return "unchanged"
    if not ours:
        return "foreign"
    if sha256(there).hexdigest() not in ours:
        return "edited"
    return "removed" if wanted is None else "changed"


def refusals(changes: Changes, folder: str | os.PathLike[str], *, force: bool = False) -> Iterator[Problem]:
    """Why `changes` must not be written: DC-OUT-003 for each edited file unless forced, DC-OUT-004."""
    root = os.fspath(folder)
    for path in () if force else changes.edited:
        file = shown(f"{root}/{path}")
        wanted = changes.content.get(path)
        yield Problem(
            "DC-OUT-003",
            "edited by hand, and rendering would overwrite that"
            if wanted
            else "edited by hand, but nothing renders it any more, and rendering would remove it",
            f"{_way_to_keep(wanted)}, or drop it: git checkout -- {file}, or render with --force.",
            where=Place(file),
        )
    for path, what in changes.foreign.items():
        yield Problem(
            "DC-OUT-004",
            f"in the way of a rendered file: {what}",
            "Move it elsewhere or delete it; what is not listed as rendered is never overwritten.",
            where=Place(shown(f"{root}/{path}")),
        )


def _way_to_keep(wanted: bytes | None) -> str:
    """How an edit is kept: by making it in the source that the first line of a rendered file names."""
    if not wanted:
        return "Keep it under another name"
    source = wanted.split(b"\n", 1)[0].decode().partition("Rendered from ")[2].partition(";")[0]
    return f"Make the change in {source} instead" if source else "Make the change in its source instead"


def _blocked_folders(root: str, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Folders that rendered files need and that are none: writing must not follow a link out of `root`."""
    folders = {path[:end] for path in paths for end in _slashes(path)}
    for folder in sorted(folders):
        try:
            mode = os.lstat(f"{root}/{folder}").st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield folder, _in_the_way(error)
            continue
        if stat.S_ISLNK(mode):
            yield folder, "a symbolic link where a folder is needed"
        elif not stat.S_ISDIR(mode):
            yield folder, "a file where a folder is needed"


def _in_the_way(error: OSError) -> str:
    return "a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)


def _slashes(path: str) -> Iterator[int]:
    end = path.find("/")
    while end >= 0:
        yield end
        end = path.find("/", end + 1)


def shown(path: str) -> str:
    """A path as a person in the current folder would type it."""
    return min(path, os.path.relpath(path), key=len)


def read_plain(path: str) -> bytes | None:
    """A plain file's bytes, None if there is none. Raises OSError for anything else: no link is followed."""
    try:
        # Without O_NONBLOCK a named pipe would wait for a writer for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "a folder or device where a file is needed", path)
        content = b""
        while chunk := os.read(handle, status.st_size + 1 - len(content)):
            content += chunk
            if len(content) > status.st_size:
                break
        return content
    finally:
        os.close(handle)
