"""A YAML file with the place of every key and value, for messages that point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
