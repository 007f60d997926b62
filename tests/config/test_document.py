"""YAML is read without its surprises, and every key and value knows its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generator.config.document import parse_document, read_document, scalar
from generator.problem import Place


def value_of(text: str) -> Any:
    document, problems = parse_document(text, "f")
    assert not problems
    return document.value["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-7", -7), ("+7", 7), ("1.5", 1.5), ("1e3", 1000.0), ("-0.5E-1", -0.05),
    ],
)  # fmt: skip
def test_what_is_more_than_text(text: str, value: Any) -> None:
    assert value_of(f"x: {text}\n") == value
    assert type(value_of(f"x: {text}\n")) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "yes", "No", "on", "OFF", "y", "n", "010", "0o17", "0x1F", "0b1", "12:30", "1:30:00", "2026-11-22",
        "1_000", "1.35.2", ".5", "5.", ".inf", ".nan", "1e999", "9" * 5000, "=", "- ", "১২",
    ],
)  # fmt: skip
def test_what_stays_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize("quoted", ['"5"', "'true'", '"null"', "''", "|\n  5", ">-\n  5"])
def test_quoted_is_text(quoted: str) -> None:
    assert isinstance(value_of(f"x: {quoted}\n"), str)


def test_places_of_keys_and_values() -> None:
    text = "a: 1\nblock:\n  - first: x\n  - [p, 'q r']\nধাকা: {k: v} # c\nempty:\nlong: |\n  text\n"
    document, problems = parse_document(text, "f")
    assert not problems
    assert document.values["a",] == Place("f", 1, 4, 1)
    assert document.values["block",] == document.keys["block",] == Place("f", 2, 1, 5)
    assert document.values["block", 0, "first"] == Place("f", 3, 12, 1)
    assert document.values["block", 1] == Place("f", 4, 5, 10)
    assert document.values["block", 1, 1] == Place("f", 4, 9, 5)
    assert document.values["ধাকা",] == Place("f", 5, 7, 6)
    assert document.values["empty",] == Place("f", 6, 1, 5)
    assert document.values["long",] == Place("f", 7, 7, 1)
    assert document.text(("block", 1, 1)) == "'q r'"
    assert document.text(("nothing",)) == ""


def test_place_of_what_is_not_written_is_around_it() -> None:
    document, _ = parse_document("a:\n  b: 1\n", "f")
    assert document.place(("a", "c", "d")) == Place("f", 1, 1, 1)
    assert document.key_place(("a", "b")) == Place("f", 2, 3, 1)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_break(line_break: str) -> None:
    document, _ = parse_document(f"a: 1{line_break}b:{line_break}  c: 2{line_break}", "f")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert document.values["b", "c"] == Place("f", 3, 6, 1)


def test_duplicates_keep_the_first() -> None:
    document, problems = parse_document("a: 1\nb: {c: 1, c: {d: [2]}}\na: 3\n", "f")
    assert document.value == {"a": 1, "b": {"c": 1}}
    assert [problem.also for problem in problems] == [(Place("f", 2, 5, 1),), (Place("f", 1, 1, 1),)]


def test_file_is_shown_relative_to_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "f.yaml").write_text("a: 1\n")
    assert read_document(tmp_path / "sub" / "f.yaml", tmp_path).file == "sub/f.yaml"
    monkeypatch.chdir(tmp_path / "sub")
    assert read_document(Path("f.yaml")).file == "f.yaml"
    assert read_document(Path("f.yaml"), tmp_path).file == "sub/f.yaml"
