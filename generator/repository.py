"""Where things lie in a checkout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generator.problem import Place, Problem, ProblemsError


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout, by its root folder."""

    root: Path

    @property
    def environments(self) -> Path:
        """What people edit."""
        return self.root / "environments"

    @property
    def apps(self) -> Path:
        """Templates and chart values."""
        return self.root / "apps"

    @property
    def clusters(self) -> Path:
        """What Argo CD reads."""
        return self.root / "clusters"

    @property
    def cache(self) -> Path:
        """Derived things that may be deleted at any time."""
        return self.root / ".cache"


def find_repository(start: Path) -> Repository:
    """The checkout that `start` lies in: the nearest folder with `environments` and `apps`."""
    for folder in (start, *start.parents):
        if (folder / "environments").is_dir() and (folder / "apps").is_dir():
            return Repository(folder)
    hint = "go to the checkout, or name it with --root"
    raise ProblemsError(
        [
            Problem(
                "DC-CLI-001", "no folder here or above has `environments` and `apps`", hint, Place(str(start))
            )
        ]
    )
