"""Every way to get an environment file wrong tells its author what, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.bad_cases import CASES, GOOD, problems_of, read_case
from generator.config.codes import CODES
from generator.config.document import MAX_BYTES, read_document
from generator.problem import Place, Problem, ProblemsError
from generator.problem_text import source_reader, to_text


def test_the_good_file_is_good(tmp_path: Path) -> None:
    assert problems_of(GOOD, tmp_path) == ()


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.stem))
def test_message(path: Path, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    case = read_case(path)
    problems = problems_of(case.text, tmp_path)
    assert problems, "the file was accepted"
    golden(path, f"{case.change}\n---\n{to_text(problems, source_reader(tmp_path))}\n")


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.stem))
def test_code_is_registered_and_place_is_in_the_file(path: Path, tmp_path: Path) -> None:
    lines = read_case(path).text.split("\n")
    for problem in problems_of(read_case(path).text, tmp_path):
        assert problem.code in CODES
        for place in (problem.where, *problem.also):
            assert place is not None
            assert in_range(place, lines), place


def in_range(place: Place, lines: list[str]) -> bool:
    """Whether a place is a spot of the file that an editor can go to."""
    width = len(lines[place.line - 1]) if 1 <= place.line <= len(lines) else -1
    return 1 <= place.column <= width + 1 and place.column + place.length <= width + 1


def problem_of(path: Path, root: Path) -> Problem:
    """The only problem of a file that cannot be read."""
    with pytest.raises(ProblemsError) as caught:
        read_document(path, root)
    (problem,) = caught.value.problems
    assert problem.code == "DC-CFG-001"
    return problem


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(GOOD)
    problem = problem_of(tmp_path / "prd.yaml", tmp_path)
    assert problem.message == "prd.yaml does not exist"
    assert "prod.yaml?" in problem.hint
    assert problem.where == Place("prd.yaml")


def test_missing_folder(tmp_path: Path) -> None:
    assert "the folder" in problem_of(tmp_path / "nowhere" / "prod.yaml", tmp_path).hint


@pytest.mark.parametrize(
    ("content", "message", "where"),
    [
        (b"\xef\xbb\xbfname: prod\n", "the file starts with a byte order mark", (1, 1)),
        (b"name: prod\ndomain: \xff\n", "byte 0xff is not UTF-8", (2, 9)),
        ("name: prod\r\ndomain: é\n".encode("latin-1"), "byte 0xe9 is not UTF-8", (2, 9)),
        (b"# " + MAX_BYTES * b"x", "f.yaml is larger than 1 MiB", (0, 0)),
    ],
)
def test_unreadable_content(tmp_path: Path, content: bytes, message: str, where: tuple[int, int]) -> None:
    (tmp_path / "f.yaml").write_bytes(content)
    problem = problem_of(tmp_path / "f.yaml", tmp_path)
    assert problem.message == message
    assert problem.where is not None
    assert (problem.where.line, problem.where.column) == where


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").mkdir()
    assert problem_of(tmp_path / "f.yaml", tmp_path).message == "f.yaml is not a file"


def test_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert (
        problem_of(tmp_path / "f" / "g.yaml", tmp_path).message == "f/g.yaml cannot be read: not a directory"
    )


def test_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert "cannot be read" in problem_of(tmp_path / ("x" * 300 + ".yaml"), tmp_path).message
    assert "cannot be read" in problem_of(tmp_path / "a\0b", tmp_path).message


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file mode would not stop a test that runs as root.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "f.yaml").write_text(GOOD)
    monkeypatch.setattr(Path, "open", refuse)
    assert problem_of(tmp_path / "f.yaml", tmp_path).message == "f.yaml must not be read by this user"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("---\n", "empty"),
        ("- a\n", "a list"),
        ("prod\n", "a single value"),
    ],
)
def test_no_mapping(tmp_path: Path, text: str, what: str) -> None:
    (problem,) = problems_of(text, tmp_path)
    assert problem.message == f"the file is {what}, not a mapping of keys to values"
    assert in_range(problem.where or Place(""), text.split("\n"))


def test_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    assert {problem.code for problem in problems_of(bomb, tmp_path)} >= {"DC-CFG-008"}


@pytest.mark.parametrize("nested", ["a: " + "[" * 50_000, "a: " + "{a: " * 50_000, "- " * 50_000])
def test_deep_nesting_is_refused(tmp_path: Path, nested: str) -> None:
    (problem,) = problems_of(nested, tmp_path)
    assert problem.message == "more than 32 levels of nesting"


def test_misspelt_tier_does_not_hide_its_defaults(tmp_path: Path) -> None:
    codes = [problem.code for problem in problems_of(GOOD.replace("production", "prod"), tmp_path)]
    assert codes == ["DC-CFG-005"]
