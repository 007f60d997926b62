"""Where output goes, and how: one place decides colours, quiet mode and the way problems look."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import click

from generator.problem import Problem
from generator.repository import Repository, find_repository

Format = Literal["text", "json", "github"]


@dataclass(frozen=True, slots=True)
class Options:
    """The options that stand before the command."""

    root: Path | None = None
    quiet: bool = False
    color: str = "auto"


class Console:
    """Standard output for results, standard error for everything about them."""

    _current: ClassVar[Console | None] = None

    def __init__(self, options: Options) -> None:
        self.options = options
        self.format: Format = "text"
        Console._current = self

    @classmethod
    def current(cls) -> Console:
        """The console of this run, also when it failed before its options were read."""
        return cls._current or cls(Options())

    @property
    def repository(self) -> Repository:
        """The checkout named by --root, else the one around the current folder."""
        root = self.options.root
        return Repository(root.resolve()) if root and root.is_dir() else find_repository(Path.cwd())

    def say(self, text: str) -> None:
        """A line about what happens; silent in quiet mode and where a machine reads."""
        if not self.options.quiet and self.format == "text":
            click.echo(text, color=self._coloured(sys.stdout.isatty()))

    def result(self, value: Any) -> None:
        """The answer, for a machine: JSON on standard output."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))

    def problems(self, problems: Iterable[Problem]) -> None:
        """Every problem, in the format asked for."""
        from generator.problem_text import source_reader, to_github, to_json, to_text

        found = list(problems)
        match self.format:
            case "json":
                self.result({"problems": to_json(found)})
            case "github":
                click.echo(to_github(found), nl=False)
            case "text" if found:
                root = self.options.root or _root_or_here()
                color = self._coloured(sys.stderr.isatty())
                click.echo(to_text(found, source_reader(root), color=color), err=True, color=color)
            case _:
                pass

    def style(self, text: str, **style: Any) -> str:
        """Coloured text; click drops the colours where `say` may not use them."""
        return click.style(text, **style)

    def _coloured(self, terminal: bool) -> bool:
        if self.options.color != "auto":
            return self.options.color == "always"
        return terminal and not os.environ.get("NO_COLOR")


def _root_or_here() -> Path:
    here = Path.cwd()
    return next((f for f in (here, *here.parents) if (f / "environments").is_dir()), here)
