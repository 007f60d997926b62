"""Whatever is typed into an environment file: it loads, or its author is told where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.bad_cases import GOOD
from generator.config.codes import CODES
from generator.config.load import load_environment
from generator.problem import Place, Problem, ProblemsError
from generator.problem_text import source_reader, to_github, to_text

LINES = GOOD.splitlines()
SNIPPETS = [
    "\t", ": ", "- ", "{", "}", "[", "]", '"', "'", "#", "&a ", "*a", "!x ", "|", ">", "? ", "<<: ", "---",
    "...", "%", "@", "`", "\\", ",", "null", "yes", "1.5", "0", "-1", "1e9", "kind: k3s", "x" * 300,
    "\r", "\u2028", "\x00", "\ufeff", "达", "ি", "🙂",
]  # fmt: skip

Edit = tuple[str, int, int, str]
edits = st.lists(
    st.tuples(
        st.sampled_from(["drop", "repeat", "swap", "insert", "replace", "indent"]),
        st.integers(0, len(LINES) - 1),
        st.integers(0, 60),
        st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=6)),
    ),
    min_size=1,
    max_size=4,
)
relaxed = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def edited(changes: list[Edit]) -> str:
    """good.yaml after a few slips of the hand."""
    lines = list(LINES)
    for what, number, column, text in changes:
        number %= max(len(lines), 1)
        line = lines[number] if lines else ""
        match what:
            case "drop":
                lines[number : number + 1] = []
            case "repeat":
                lines.insert(number, line)
            case "swap":
                lines[number:] = [*lines[number + 1 : number + 2], line, *lines[number + 2 :]]
            case "insert":
                lines[number : number + 1] = [line[:column] + text + line[column:]]
            case "replace":
                lines[number : number + 1] = [f"{line.split(':')[0]}: {text}"]
            case _:
                lines[number : number + 1] = [" " * (column % 5) + line]
    return "\n".join(lines)


def problems_of(content: bytes, folder: Path) -> tuple[Problem, ...]:
    """What is wrong with a file; anything but a ProblemsError fails the test."""
    (folder / "good.yaml").write_bytes(content)
    try:
        load_environment(folder / "good.yaml", folder)
    except ProblemsError as error:
        return error.problems
    return ()


def check(content: bytes, folder: Path) -> None:
    """Loads, or says why in a form that every renderer can show, at places that exist."""
    problems = problems_of(content, folder)
    for problem in problems:
        assert problem.code in CODES
        assert problem.message
        assert problem.where is not None
        assert all(exists(place, content) for place in (problem.where, *problem.also)), problem
    assert bool(to_text(problems, source_reader(folder))) == bool(problems)
    assert to_github(problems).count("\n") == len(problems)


def exists(place: Place, content: bytes) -> bool:
    """Whether the file has this line and column."""
    if place.line == 0:
        return True
    lines = content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return place.line <= len(lines) and place.column - 1 + place.length <= len(lines[place.line - 1])


@relaxed
@given(changes=edits)
def test_slips_of_the_hand(changes: list[Edit], tmp_path: Path) -> None:
    check(edited(changes).encode("utf-8", errors="surrogatepass"), tmp_path)


@relaxed
@given(content=st.binary(max_size=200))
def test_any_bytes(content: bytes, tmp_path: Path) -> None:
    check(content, tmp_path)


@relaxed
@given(text=st.text(alphabet="ab:-[]{}\"'#&*!|>%@? \t\n,1", max_size=40))
def test_any_yaml_like_text(text: str, tmp_path: Path) -> None:
    check(text.encode(), tmp_path)


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_file_cut_short(cut: int, tmp_path: Path) -> None:
    check(GOOD[:cut].encode(), tmp_path)
