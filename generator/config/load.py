"""Files → typed config, or every problem in them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.config.document import Document, read_document
from generator.config.environment import Environment
from generator.config.tiers import TIER_DEFAULTS
from generator.problem import Place


@dataclass(frozen=True, slots=True)
class LoadedEnvironment:
    """An environment and the file that it came from."""

    environment: Environment
    document: Document

    def place(self, *path: str | int) -> Place:
        """Where in the file `path` (camelCase keys, as written) is decided."""
        return self.document.place(path)


def load_environment(path: Path, root: Path | None = None) -> LoadedEnvironment:
    """Read one environment file; messages show it relative to `root` (the current folder if None)."""
    document = read_document(path, root)
    data = merged(TIER_DEFAULTS.get(document.value.get("tier", ""), {}), document.value)
    return LoadedEnvironment(Environment.model_validate(data), document)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one; where both say something, `above` wins, key by key in nested mappings."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        result[key] = merged(under, value) if both else value
    return result
