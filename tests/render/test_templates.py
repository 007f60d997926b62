"""Templates: strict names, values as YAML, and errors that point into the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.problem import Problem, ProblemsError
from generator.render.parse import BrokenYamlError, parse
from generator.render.templates import Templates, as_yaml


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    folder = tmp_path / "apps"
    (folder / "shop").mkdir(parents=True)
    return folder


def failure(apps: Path, text: str, **context: object) -> Problem:
    (apps / "shop" / "a.yaml.j2").write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        Templates(apps).render("shop/a.yaml.j2", context)
    (problem,) = caught.value.problems
    return problem


class Config:
    replicas = 3


def test_an_undefined_name_names_template_and_line(apps: Path) -> None:
    problem = failure(apps, "kind: X\nspec:\n  a: {{ nothing }}\n")
    assert str(problem.where) == "apps/shop/a.yaml.j2:3"
    assert "'nothing' is undefined" in problem.message


def test_a_misspelt_attribute_gets_the_nearest(apps: Path) -> None:
    problem = failure(apps, "a: 1\nb: {{ env.replcas }}\n", env=Config())
    assert str(problem.where) == "apps/shop/a.yaml.j2:2"
    assert "did you mean 'replicas'?" in problem.message


def test_a_syntax_error_names_the_line(apps: Path) -> None:
    problem = failure(apps, "a: 1\n{% if x %}\nb: 2\n")
    assert problem.code == "DC-APP-002"
    assert problem.where
    assert problem.where.line == 3


def test_an_error_in_a_macro_names_the_macros_file(apps: Path) -> None:
    (apps / "_macros").mkdir()
    (apps / "_macros" / "m.j2").write_text(
        "{% macro m(x) %}\na: {{ x.gone }}\n{% endmacro %}\n", encoding="utf-8"
    )
    problem = failure(apps, '{% import "_macros/m.j2" as m %}\nk: 1\n{{ m.m(env) }}\n', env=Config())
    assert str(problem.where) == "apps/_macros/m.j2:2"


def test_a_missing_import_is_said(apps: Path) -> None:
    problem = failure(apps, '{% import "_macros/gone.j2" as m %}\n')
    assert problem.code == "DC-APP-001"
    assert "_macros/gone.j2" in problem.message


def test_a_fault_in_an_expression_is_no_traceback(apps: Path) -> None:
    problem = failure(apps, "a: 1\nb: {{ 1 / zero }}\n", zero=0)
    assert (str(problem.where), "ZeroDivisionError" in problem.message) == ("apps/shop/a.yaml.j2:2", True)


def test_compiled_templates_follow_their_source(apps: Path, tmp_path: Path) -> None:
    path = apps / "shop" / "a.yaml.j2"
    for text in ("a: 1\n", "a: 2\n"):
        path.write_text(text, encoding="utf-8")
        assert Templates(apps, tmp_path / "cache").render("shop/a.yaml.j2", {}) == text


def test_a_cache_that_cannot_be_made_does_not_stop_rendering(apps: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (apps / "shop" / "a.yaml.j2").write_text("a: 1\n", encoding="utf-8")
    assert Templates(apps, tmp_path / "file" / "cache").render("shop/a.yaml.j2", {}) == "a: 1\n"


LOOP = """kind: A
{% for n in names %}
---
kind: B
name: {{ n }}
{% if n == "bad" %}
x: [1
{% endif %}
{% endfor %}
"""


def test_a_line_of_output_leads_back_to_the_template(apps: Path) -> None:
    (apps / "shop" / "a.yaml.j2").write_text(LOOP, encoding="utf-8")
    templates = Templates(apps)
    context = {"names": ["one", "two", "bad"]}
    text = templates.render("shop/a.yaml.j2", context)
    line = 1 + text.split("\n").index("x: [1")
    assert templates.line_of("shop/a.yaml.j2", context, line) == 7


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: st.lists(below) | st.dictionaries(st.text("abcxyz-_.", min_size=1), below),
    max_leaves=10,
)


@given(json_values)
def test_the_yaml_filter_says_what_it_was_given(value: object) -> None:
    assert parse(f"a: {as_yaml(value)}\n") == [{"a": value}]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1\nc: 2\n", 3, "did not find expected"),
        ("a: 1\na: 2\n", 1, "duplicate"),
        ("a:\n\tb: 1\n", 2, "cannot start any token"),
        ("a: 1\n---\nb: 'x\n", 4, "end of stream"),
        ("- 1\n", 1, "a document is a mapping"),
        ("just text\n", 1, "a document is a mapping"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BrokenYamlError, match=words) as caught:
        parse(text)
    assert caught.value.line == line


def test_empty_documents_are_nothing() -> None:
    assert parse("") == []
    assert parse("---\n---\na: 1\n---\n# only a comment\n") == [{"a": 1}]


def test_words_that_yaml_1_1_takes_for_booleans_stay_text() -> None:
    assert parse("a: on\nb: NO\nc: y\nd: 12:30:45\ne: 2026-01-01\n") == [
        {"a": "on", "b": "NO", "c": "y", "d": "12:30:45", "e": "2026-01-01"}
    ]
