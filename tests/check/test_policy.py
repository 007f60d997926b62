"""Each policy rule finds its own mistake and no other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from check.support import FIXTURES, base, documents, patched, rendered
from generator.check.docs import pages
from generator.check.rule import rules
from generator.check.run import check

TODAY = date(2026, 11, 22)
PAGES = Path(__file__).parents[2] / "docs" / "rules"
EXEMPTIONS = ("DC-META-009", "DC-META-010")
CODES = [rule.code for rule in rules() if rule.check is not None or rule.code in EXEMPTIONS]
FILES = {which: sorted(FIXTURES.glob(f"DC-*/{which}*.yaml")) for which in ("bad", "ok")}


def shown(path: Path) -> str:
    """`DC-POD-001/bad`."""
    return f"{path.parent.name}/{path.stem}"


def found(path: Path) -> set[str]:
    """The codes of the problems in a fixture."""
    world = patched(base(), documents(path))
    return {problem.code for problem in check(rendered(world), TODAY)}


def test_the_base_is_clean() -> None:
    assert check(rendered(base()), TODAY) == []


@pytest.mark.parametrize("path", FILES["bad"], ids=shown)
def test_bad_is_found(path: Path) -> None:
    assert found(path) == {path.parent.name}


@pytest.mark.parametrize("path", FILES["ok"], ids=shown)
def test_ok_is_clean(path: Path) -> None:
    assert found(path) == set()


def test_every_rule_has_a_pair_and_every_pair_a_rule() -> None:
    pairs = {
        path.name
        for path in FIXTURES.glob("DC-*")
        if {"ok.yaml", "bad.yaml"} <= {p.name for p in path.iterdir()}
    }
    assert pairs == set(CODES)


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("DC-*.md")} == {rule.code for rule in rules()}


@pytest.mark.parametrize("name", pages())
def test_pages_are_up_to_date(name: str) -> None:
    assert (PAGES / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


@pytest.mark.parametrize("code", CODES)
def test_a_rule_says_why_how_and_whence(code: str) -> None:
    page = pages()[f"{code}.md"]
    assert all(f"\n## {section}\n" in page for section in ("Why", "Fix", "Sources"))
