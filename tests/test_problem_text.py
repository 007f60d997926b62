"""Problems as text, JSON and annotations."""

from __future__ import annotations

from pathlib import Path

from generator.problem import Place, Problem
from generator.problem_text import source_reader, to_github, to_json, to_text

FILES = {
    "prod.yaml": ("name: prod", "    replcas: {min: 3}", "\tমোট: 達卡 x", "a" * 300, "ok\x1b[31m red"),
    "dev.yaml": ("cidr: 10.0.0.0/16",),
}


def source(file: str) -> tuple[str, ...]:
    return FILES.get(file, ())


def problem(place: Place | None, **more: object) -> Problem:
    fields: dict[str, object] = {"code": "DC-CFG-002", "message": "unknown key `replcas`", "where": place}
    return Problem(**(fields | more))  # type: ignore[arg-type]


def test_line_caret_and_hint() -> None:
    found = problem(Place("prod.yaml", 2, 5, 7), hint="did you mean `replicas`?")
    assert to_text([found], source) == (
        "error[DC-CFG-002]: unknown key `replcas`\n"
        " --> prod.yaml:2:5\n"
        "  |\n"
        "2 |     replcas: {min: 3}\n"
        "  |     ^^^^^^^\n"
        "  = hint: did you mean `replicas`?"
    )


def test_subject_and_other_places_and_warning() -> None:
    found = problem(
        Place("prod.yaml", 1, 7, 4),
        also=(Place("dev.yaml", 1, 7, 11),),
        subject="Service/shop/x",
        severity="warning",
    )
    assert to_text([found], source).splitlines() == [
        "warning[DC-CFG-002]: unknown key `replcas`",
        " --> prod.yaml:1:7",
        "  |",
        "1 | name: prod",
        "  |       ^^^^",
        " ::: dev.yaml:1:7",
        "  |",
        "1 | cidr: 10.0.0.0/16",
        "  |       -----------",
        "  = object: Service/shop/x",
    ]


def test_tabs_combining_and_wide_characters_keep_the_caret_under_the_text() -> None:
    text = to_text([problem(Place("prod.yaml", 3, 7, 2))], source).splitlines()
    assert text[-2] == "3 |     মোট: 達卡 x"
    # Tab 4, Bangla letters and vowel signs 3 (all spacing), colon and space 2; two characters of two columns.
    assert text[-1] == "  | " + " " * 9 + "^^^^"


def test_long_line_is_cut_around_the_span() -> None:
    _, _, _, line, marks = to_text([problem(Place("prod.yaml", 4, 200, 3))], source).splitlines()
    assert len(line) <= 150
    assert line.startswith("4 | …")
    assert line.endswith("…")
    assert marks.endswith("^^^")
    assert len(marks) < len(line)


def test_nothing_reaches_the_terminal_as_a_command() -> None:
    text = to_text([problem(Place("prod.yaml", 5, 3, 1), message="bad \x1b[31m \u202e\ttext")], source)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_places_without_a_line() -> None:
    assert to_text([problem(None)], source) == "error[DC-CFG-002]: unknown key `replcas`"
    assert to_text([problem(Place("gone.yaml"))], source).endswith("\n --> gone.yaml")
    assert to_text([problem(Place("prod.yaml", 99, 1))], source).endswith("\n  --> prod.yaml:99:1")
    assert "^" not in to_text([problem(Place("prod.yaml", 1))], source)


def test_colour_only_when_asked() -> None:
    place = Place("prod.yaml", 2, 5, 7)
    assert "\x1b[1;31m^^^^^^^\x1b[0m" in to_text([problem(place)], source, color=True)
    assert "\x1b[1;33mwarning" in to_text([problem(place, severity="warning")], source, color=True)
    assert "\x1b" not in to_text([problem(place)], source)


def test_several_are_apart() -> None:
    assert to_text([problem(None), problem(None)], source).count("\n\n") == 1


def test_json() -> None:
    (plain,) = to_json([problem(Place("prod.yaml", 2, 5, 7), also=(Place("dev.yaml"),))])
    assert plain["where"] == {"file": "prod.yaml", "line": 2, "column": 5, "length": 7}
    assert plain["also"] == [{"file": "dev.yaml", "line": 0, "column": 0, "length": 0}]
    assert to_json([problem(None)])[0]["where"] is None
    assert list(plain) == ["code", "severity", "message", "hint", "subject", "where", "also"]


def test_github() -> None:
    found = problem(
        Place("a,b:c.yaml", 2, 5, 7), message="100 % wrong\nreally", hint="fix it", subject="Pod/x"
    )
    assert to_github([found]) == (
        "::error file=a%2Cb%3Ac.yaml,line=2,col=5,endColumn=12,title=DC-CFG-002"
        "::Pod/x: 100 %25 wrong%0Areally%0Ahint: fix it\n"
    )
    assert to_github([problem(None, severity="warning")]).startswith("::warning title=DC-CFG-002::")
    assert to_github([problem(Place("f.yaml"))]).startswith("::error file=f.yaml,title=")
    assert to_github([]) == ""


def test_source_reader_never_fails(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"a\r\nb\xff\rc")
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    read = source_reader(tmp_path)
    assert read("f.yaml") == ("a", "b\ufffd", "c")
    assert [read(name) for name in ("gone", "large", ".", "a\0b", "x" * 5000)] == [()] * 5
