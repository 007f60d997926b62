"""Problems as text for a terminal, as JSON, and as annotations of a pull request.

The terminal form is the one that compilers made familiar:

    error[DC-CFG-002]: unknown key `replcas` in `shop.backend`
      --> environments/prod.yaml:37:5
       |
    37 |     replcas:
       |     ^^^^^^^
       = hint: did you mean `replicas`?
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from generator.problem import Place, Problem

Source = Callable[[str], Sequence[str]]
"""A file, as it is called in a Place → its lines; none for what is no file."""

_BREAK = re.compile(r"\r\n|\r|\n")
_LARGEST = 2**20  # bytes; an excerpt of a larger file would cost more than it tells
_TAB = "    "
_WIDEST = 140  # columns of a source line that are shown
_BEFORE = 60  # of them, left of the span in a line that is cut


class _Style(NamedTuple):
    """Escape sequences, empty without colour."""

    error: str = ""
    warning: str = ""
    frame: str = ""
    bold: str = ""
    end: str = ""


_PLAIN = _Style()
_COLOR = _Style("\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m")


def to_text(problems: Iterable[Problem], source: Source, *, color: bool = False) -> str:
    """Every problem with its source line and a mark under what is meant, a blank line between two.

    `source` gives the lines of a file (see `source_reader`).
    """
    style = _COLOR if color else _PLAIN
    return "\n\n".join("\n".join(_lines(problem, source, style)) for problem in problems)


def to_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Every problem as plain data; `where` is null for what is in no file."""
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "message": problem.message,
            "hint": problem.hint,
            "subject": problem.subject,
            "where": _place(problem.where) if problem.where else None,
            "also": [_place(place) for place in problem.also],
        }
        for problem in problems
    ]


def to_github(problems: Iterable[Problem]) -> str:
    """Workflow commands, one a line, that GitHub shows beside the changed lines of a pull request.

    Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return "".join(f"{_annotation(problem)}\n" for problem in problems)


def source_reader(root: Path) -> Source:
    """A `Source` that reads files below `root` (or by absolute path), each once, and never fails."""

    @lru_cache(maxsize=64)
    def lines(file: str) -> tuple[str, ...]:
        path = root / file
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:
                return ()
            return tuple(_BREAK.split(path.read_bytes().decode("utf-8", errors="replace")))
        except (OSError, ValueError):
            return ()

    return lines


def _lines(problem: Problem, source: Source, style: _Style) -> Iterable[str]:
    places = [place for place in (problem.where, *problem.also) if place is not None]
    margin = " " * max((len(str(place.line)) for place in places), default=1)
    tone = style.error if problem.severity == "error" else style.warning
    title = f"{tone}{problem.severity}[{problem.code}]{style.end}"
    yield f"{title}{style.bold}: {_visible(problem.message)}{style.end}"
    if problem.where:
        yield from _excerpt(problem.where, source, margin, style, ("-->", tone, "^"))
    for place in problem.also:
        yield from _excerpt(place, source, margin, style, (":::", style.frame, "-"))
    if problem.subject:
        yield f"{margin} {style.frame}={style.end} {style.bold}object:{style.end} {_visible(problem.subject)}"
    if problem.hint:
        yield f"{margin} {style.frame}={style.end} {style.bold}hint:{style.end} {_visible(problem.hint)}"


def _excerpt(
    place: Place, source: Source, margin: str, style: _Style, look: tuple[str, str, str]
) -> Iterable[str]:
    """The place's name, and its line with a mark under the span, if there is such a line."""
    arrow, tone, mark = look
    yield f"{margin}{style.frame}{arrow}{style.end} {_visible(str(place))}"
    lines = source(place.file) if place.line else ()
    if not 1 <= place.line <= len(lines):
        return
    before, span, after = _cut(lines[place.line - 1], place)
    empty = f"{margin} {style.frame}|{style.end}"
    yield empty
    text = f"{before}{span}{after}".rstrip()
    yield f"{style.frame}{place.line:>{len(margin)}} |{style.end} {text}".rstrip()
    if place.column:
        yield f"{empty} {' ' * _width(before)}{tone}{mark * max(_width(span), 1)}{style.end}"


def _cut(line: str, place: Place) -> tuple[str, str, str]:
    """A source line as shown: before, in and behind the span, shortened around the span if it is long."""
    start = max(place.column - 1, 0)
    parts = line[:start], line[start : start + place.length], line[start + place.length :]
    before, span, after = (_visible(part) for part in parts)
    if len(before) + len(span) + len(after) <= _WIDEST:
        return before, span, after
    before = before if len(before) <= _BEFORE else f"…{before[1 - _BEFORE :]}"
    room = _WIDEST - len(before)
    span = span if len(span) <= room else f"{span[: room - 1]}…"
    room -= len(span)
    return before, span, after if len(after) <= room else f"{after[: max(room - 1, 0)]}…"


def _visible(text: str) -> str:
    """Text that a terminal only shows: tabs as spaces, other control characters as a mark."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if _obeyed(char) else char for char in text.replace("\t", _TAB))


def _obeyed(char: str) -> bool:
    """Control characters, line separators, and marks that turn the reading direction."""
    return unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") or unicodedata.bidirectional(char) in (
        "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip


def _width(text: str) -> int:
    """Columns that text takes in a terminal."""
    return len(text) if text.isascii() else sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "length": place.length}


def _annotation(problem: Problem) -> str:
    where = problem.where
    properties: dict[str, str | int] = {"file": where.file} if where else {}
    if where and where.line:
        properties["line"] = where.line
    if where and where.line and where.column:
        properties |= {"col": where.column, "endColumn": where.column + max(where.length, 1)}
    properties["title"] = problem.code
    parts = [
        f"{problem.subject}: {problem.message}" if problem.subject else problem.message,
        *([f"hint: {problem.hint}"] if problem.hint else []),
        *(f"see also {place}" for place in problem.also),
    ]
    head = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    body = _data("\n".join(parts))
    return f"::{problem.severity} {head}::{body}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
