"""Files → typed config, or every problem in them at once."""

from __future__ import annotations

from dataclasses import dataclass

from generator.config.document import Document, Path
from generator.config.environment import Environment
from generator.problem import Place


@dataclass(frozen=True, slots=True)
class LoadedEnvironment:
    """An environment and the file that it came from."""

    environment: Environment
    document: Document

    def place(self, *path: str | int) -> Place:
        """Where in the file `path` (camelCase keys, as written) is decided."""
        return self.document.place(path)
