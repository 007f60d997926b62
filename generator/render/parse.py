"""Rendered text → Kubernetes objects: YAML 1.2, duplicate keys refused, one mapping a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import ryaml

_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)
_LINE = re.compile(r" at line (\d+)(?: column (\d+))?")


class BrokenYamlError(Exception):
    """The text is no YAML mapping. `line` counts from 1 in the whole text."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


def parse(text: str) -> list[dict[str, Any]]:
    """Every document of `text` that is not empty, as a dict; BrokenYamlError otherwise."""
    return [body for part, first_line in _documents(text) if (body := _mapping(part, first_line)) is not None]


def _documents(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for part in _SEPARATOR.split(text):
        yield part, line
        line += part.count("\n")


def _mapping(part: str, first_line: int) -> dict[str, Any] | None:
    try:
        value = ryaml.loads(part)
    except (ryaml.InvalidYamlError, ValueError) as error:
        found = _LINE.search(str(error))
        line = first_line + (int(found[1]) if found else 1) - 1
        raise BrokenYamlError(_LINE.sub("", str(error)), line) from None
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BrokenYamlError(
            f"a document is a mapping with apiVersion and kind, not {_word(value)}", first_line
        )
    return value


def _word(value: Any) -> str:
    return {"list": "a list", "str": "text", "bool": "true or false"}.get(type(value).__name__, "a number")
