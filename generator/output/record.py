"""The ownership record: which files of a folder are ours, by the SHA-256 of what we last wrote to them.

It is JSON with one sorted line a file, so that Git merges the renderings of two branches line by line. While
a run replaces files, a line holds the hash of before and that of after, apart by a space: a run that was
killed half-way is told from an edit by hand. A record in a merge conflict is read as both sides for the same
reason: the next render settles it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from generator.problem import Place, Problem, ProblemsError

RECORD = ".rendered.json"

Record = dict[str, tuple[str, ...]]

_NAME = r'(?!\.\.?[/"])[^"\\/\x00-\x1f]+'  # never `.` or `..`: a record must not lead out of its folder
_LINE = re.compile(rf'\s*"({_NAME}(?:/{_NAME})*)": "([0-9a-f]{{64}}(?: [0-9a-f]{{64}})*)",?\s*')
_FRAME = re.compile(r"\s*[{}]?\s*|(?:<{7}|={7}|>{7}|\|{7})(?: .*)?")


def parse_record(content: bytes, file: str) -> Record:
    """Path → the hashes that its file may have. Raises ProblemsError (DC-OUT-005), pointing into `file`."""
    record: Record = {}
    for number, line in enumerate(content.decode(errors="replace").split("\n"), start=1):
        if entry := _LINE.fullmatch(line):
            path, hashes = entry.groups()
            record[path] = (*record.get(path, ()), *hashes.split(" "))
        elif not _FRAME.fullmatch(line):
            raise ProblemsError([_corrupt(file, number)])
    if not content.strip():
        raise ProblemsError([_corrupt(file, 1)])
    return record


def format_record(record: Mapping[str, Iterable[str]]) -> bytes:
    """The bytes of a record, the same for the same files in any order."""
    lines = (f' "{path}": "{" ".join(hashes)}"' for path, hashes in sorted(record.items()))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def record_of(content: Mapping[str, bytes]) -> Record:
    """The record of a tree as it is to be written."""
    return {path: (sha256(data).hexdigest(),) for path, data in content.items()}


def format_meanwhile(before: Record, after: Record) -> bytes:
    """What holds while files are being replaced: each may be as before or as after.

    An empty line at the end tells it from every finished record, also where `after` only adds files.
    """
    hashes = {
        path: dict.fromkeys((*before.get(path, ()), *after.get(path, ()))) for path in {**before, **after}
    }
    return format_record(hashes) + b"\n"


def _corrupt(file: str, line: int) -> Problem:
    folder = file.removesuffix(f"/{RECORD}")
    return Problem(
        "DC-OUT-005",
        "the record of rendered files cannot be read, so nothing in the folder is safe to replace",
        f"Restore it: git checkout -- {file}. If it is in no commit, delete it and the rendered files in "
        f"{folder}, and render again: all of them come back.",
        where=Place(file, line),
    )
