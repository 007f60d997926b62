"""The cases of bad/: a change of good.yaml (lines with - out, with + in), `---`, and what a user is told."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from generator.config.load import load_environment
from generator.problem import Problem, ProblemsError

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
CASES = sorted((HERE / "bad").glob("*.txt"))


class Case(NamedTuple):
    """One way to get a file wrong. `change` is the part above the dashes, `text` the whole bad file."""

    change: str
    text: str


def read_case(path: Path) -> Case:
    """Apply the change of a case to good.yaml."""
    change = path.read_text(encoding="utf-8").split("\n---\n", 1)[0]
    text = GOOD
    for hunk in change.split("\n\n"):
        out = "".join(f"{line[1:]}\n" for line in hunk.split("\n") if line.startswith("-"))
        into = "".join(f"{line[1:]}\n" for line in hunk.split("\n") if line.startswith("+"))
        assert text.count(out) == 1, f"{path.name} changes what good.yaml does not have once: {out}"
        text = text.replace(out, into)
    return Case(change, text)


def problems_of(text: str, folder: Path) -> tuple[Problem, ...]:
    """What loading `text` as the environment `good` finds wrong."""
    path = folder / "good.yaml"
    path.write_bytes(text.encode())
    try:
        load_environment(path, folder)
    except ProblemsError as error:
        return error.problems
    return ()
