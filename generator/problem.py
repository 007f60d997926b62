"""What went wrong, where, and what to do about it: the one shape of every message to a user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a text file. Lines and columns count from 1 (0: the whole file), length in characters."""

    file: str
    line: int = 0
    column: int = 0
    length: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    `where` is the line to edit, `subject` the object that it shows in, `also` the lines that add to it.
    """

    code: str
    message: str
    hint: str = ""
    where: Place | None = None
    subject: str = ""
    severity: Severity = "error"
    also: tuple[Place, ...] = field(default=())

    @property
    def sort_key(self) -> tuple[str, int, int, str, str, str]:
        """Files in order, then lines, then codes: the same list whatever order rules ran in."""
        where = self.where or Place("")
        return (where.file, where.line, where.column, self.code, self.subject, self.message)


class ProblemsError(Exception):
    """The input is wrong and nothing was done. Carries every problem that was found."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("; ".join(f"{p.where or p.subject}: {p.message}" for p in self.problems))
