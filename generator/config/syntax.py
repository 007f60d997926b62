"""What libyaml says about broken YAML, in words for the person who wrote it."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from generator.config import codes
from generator.problem import Place, Problem

_COLUMNS = "keys of one mapping start in the same column; what belongs to a key is two spaces further right"


class _Cause(NamedTuple):
    """`said` is part of libyaml's words; `opening` puts the place where the unfinished construct starts."""

    said: str
    message: str
    hint: str
    opening: bool = False


_CAUSES = (
    _Cause("scanning a quoted scalar", "a quote is never closed", "add the missing quote", opening=True),
    _Cause(
        "scanning an alias",
        "text that starts with `*` must be quoted",
        'like "*.dhakacart.com.bd"',
        opening=True,
    ),
    _Cause(
        "scanning an anchor", "text that starts with `&` must be quoted", "put quotes around it", opening=True
    ),
    _Cause(
        "scanning a tag", "text that starts with `!` must be quoted", "put quotes around it", opening=True
    ),
    _Cause(
        "parsing a node", "text that starts with `!` must be quoted", "put quotes around it", opening=True
    ),
    _Cause(
        "scanning a directive",
        "text that starts with `%` must be quoted",
        "put quotes around it",
        opening=True,
    ),
    _Cause(
        "unknown escape", "no such escape in double quotes", "use single quotes, or write two backslashes"
    ),
    _Cause("expected ':'", "a key without its colon", "write `key: value`", opening=True),
    _Cause("expected ',' or ']'", "a list is not closed", "add the missing `]` or `,`", opening=True),
    _Cause("expected ',' or '}'", "a mapping is not closed", "add the missing `}` or `,`", opening=True),
    _Cause("block sequence entries", "a list item cannot start here", "give `- item` a line of its own"),
    _Cause(
        "expected '-' indicator", "this line is indented wrongly", "items of one list start in one column"
    ),
    _Cause("<document start>", "this line is indented wrongly, or stands after the document's end", _COLUMNS),
    _Cause("expected node content", "a value is missing here", "write a value, or quotes for an empty text"),
    _Cause("cannot start any token", "text cannot start with this character", "put quotes around the text"),
)


def syntax_problem(error: yaml.MarkedYAMLError, file: str, lines: tuple[str, ...]) -> Problem:
    """The reason why a file could not be parsed, at the place to look."""
    mark: Any = error.problem_mark or error.context_mark
    line, column = _inside(mark, lines)
    tab = _tab_in_indentation(line, lines)
    if tab is not None:
        return _problem("a tab in the indentation", "indent with spaces, two a level", file, lines, *tab)
    said = f"{error.context or ''} {error.problem or ''}"
    if "mapping values are not allowed" in said:
        return _misplaced_colon(file, lines, line, column)
    if "expected key" in said:
        return _misplaced_text(file, lines, line, column)
    cause = next((cause for cause in _CAUSES if cause.said in said), None)
    if cause is None:
        message = f"this is not YAML: {error.problem or error.context or 'it cannot be read'}"
        return _problem(message, "compare the line with the ones around it", file, lines, line, column)
    if cause.opening and error.context_mark:
        line, column = _inside(error.context_mark, lines)
    return _problem(cause.message, cause.hint, file, lines, line, column)


def _misplaced_colon(file: str, lines: tuple[str, ...], line: int, column: int) -> Problem:
    """`a: b: c`, a key without a colon in the line before, or a line too far to the right."""
    if ":" in lines[line][:column].split("#")[0]:
        return _problem("a second colon in one line", "put quotes around the text", file, lines, line, column)
    above = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), None)
    if above is not None and ":" not in lines[above]:
        start = _indentation(lines[above])
        return _problem("a key without its colon", "write `key: value`", file, lines, above, start)
    return _problem("this line is indented wrongly", _COLUMNS, file, lines, line, _indentation(lines[line]))


def _misplaced_text(file: str, lines: tuple[str, ...], line: int, column: int) -> Problem:
    """A colon without a key, text behind a complete value, or a line that fits no column above it."""
    if lines[line][column:].startswith(":"):
        return _problem("a key is missing before the colon", "write `key: value`", file, lines, line, column)
    if lines[line][:column].strip():
        message, hint = "text after the end of a value", "put quotes around all of it, or remove it"
        return _problem(message, hint, file, lines, line, column)
    return _problem("this line is indented wrongly", _COLUMNS, file, lines, line, column)


def _tab_in_indentation(line: int, lines: tuple[str, ...]) -> tuple[int, int] | None:
    """Where a tab stands before the first word, in `line` or in blank lines right above it."""
    for number in range(line, -1, -1):
        indentation = lines[number][: _indentation(lines[number])]
        if "\t" in indentation:
            return number, indentation.index("\t")
        if lines[number].strip():
            return None
    return None


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _inside(mark: Any, lines: tuple[str, ...]) -> tuple[int, int]:
    """A mark as zero-based line and column inside of the file: libyaml may report an early end after it."""
    line = min(mark.line, len(lines) - 1) if mark else 0
    return line, min(mark.column, len(lines[line])) if mark else 0


def _problem(message: str, hint: str, file: str, lines: tuple[str, ...], line: int, column: int) -> Problem:
    length = 1 if column < len(lines[line]) else 0
    return Problem(codes.BROKEN_YAML, message, hint, Place(file, line + 1, column + 1, length))
