"""A YAML file with the place of every key and value, for messages that point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml

from generator.problem import Place

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `values` and `keys` give the place of each value and of its key, by path."""

    file: str
    lines: tuple[str, ...]
    value: dict[str, Any]
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Where `path` is written, else the nearest thing around it that is."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(self.file))


def read_document(path: FilePath, root: FilePath | None = None) -> Document:
    """Read one YAML mapping; the file is shown relative to `root` (the current folder if None)."""
    base = (root or FilePath.cwd()).resolve()
    full = path.resolve()
    file = full.relative_to(base).as_posix() if full.is_relative_to(base) else path.as_posix()
    text = path.read_text(encoding="utf-8")
    values: dict[Path, Place] = {}
    keys: dict[Path, Place] = {}

    def place(node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Place(file, start.line + 1, start.column + 1, length)

    def walk(node: yaml.Node, at: Path) -> None:
        values[at] = place(node)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                keys[*at, key.value] = place(key)
                walk(value, (*at, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                walk(item, (*at, index))

    walk(yaml.compose(text, Loader=yaml.CSafeLoader), ())
    return Document(file, tuple(text.splitlines()), yaml.load(text, yaml.CSafeLoader), values, keys)
