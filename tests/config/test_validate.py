"""Any model's mistakes come back at their places: what `app.yaml` and later files rely on."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from generator.config.base import Model
from generator.config.document import parse_document
from generator.config.validate import dotted, merged, validate_model
from generator.problem import Problem, ProblemsError


class Part(Model):
    """A list's item."""

    name: str = Field(pattern=r"^[a-z]+$", min_length=2, max_length=5, description="Lower-case letters")
    size: Annotated[int, Field(gt=0, lt=10)] = 1


PART = "a mapping with the keys name, size"


class Whole(Model):
    """A file."""

    parts: Annotated[tuple[Part, ...], Field(strict=False, max_length=2)] = ()
    note: str | None = None
    ready: bool = False
    share: float = 0.5
    kinds: Annotated[tuple[Literal["a", "b"], ...], Field(strict=False)] = ()


def problems_of(text: str) -> tuple[Problem, ...]:
    document, found = parse_document(text, "f")
    with pytest.raises(ProblemsError) as caught:
        validate_model(Whole, document, found=found)
    return caught.value.problems


def told(text: str) -> str:
    (problem,) = problems_of(text)
    return f"{problem.where}: {problem.message} ({problem.hint})"


def test_good_file() -> None:
    document, _ = parse_document("parts: [{name: ab}]\nshare: 1\n", "f")
    whole = validate_model(Whole, document, {"note": "default", "share": 0.1})
    assert whole == Whole(parts=(Part(name="ab"),), note="default", share=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parts:\n  - nam: ab\n",
            "f:2:5: unknown key `nam` in `parts[0]` (did you mean `name`?)",
        ),
        (
            "parts:\n  - size: 2\n",
            "f:2:5: `parts[0].name` is missing (add `name: …` under `parts[0]` (Lower-case letters))",
        ),
        (
            "parts: [{name: Ab}]\n",
            'f:1:16: `name` is text "Ab", not of the form ^[a-z]+$ (Lower-case letters)',
        ),
        (
            "parts: [{name: a}]\n",
            "f:1:16: `name` has 1 character, not at least 2 (Lower-case letters)",
        ),
        (
            "parts: [{name: abcdef}]\n",
            "f:1:16: `name` has 6 characters, not at most 5 (Lower-case letters)",
        ),
        (
            "parts: [{name: ab, size: 10}]\n",
            "f:1:26: `size` is 10, not a whole number above 0 below 10 (for example `size: 1`)",
        ),
        (
            "parts: [1]\n",
            f"f:1:9: `parts[0]` is the number 1, not {PART} (for example `{{name: …}}`)",
        ),
        (
            "kinds: {}\n",
            "f:1:8: `kinds` is a mapping, not a list (for example `kinds: [a]`)",
        ),
        (
            "note: [1]\n",
            "f:1:7: `note` is a list, not text ()",
        ),
        (
            'ready: "true"\n',
            'f:1:8: `ready` is text "true", not true or false (remove the quotes: `ready: true`)',
        ),
        (
            "ready: off\n",
            'f:1:8: `ready` is text "off", not true or false (write `ready: false`)',
        ),
        (
            "ready: 1\n",
            "f:1:8: `ready` is the number 1, not true or false (for example `ready: true`)",
        ),
        (
            "share: true\n",
            "f:1:8: `share` is true, not a number (for example `share: 0.5`)",
        ),
        (
            "kinds: [a, c]\n",
            'f:1:12: `kinds[1]` is text "c", not one of a, b (write `a`)',
        ),
        (
            "kinds: [{}]\n",
            "f:1:9: `kinds[0]` is a mapping, not one of a, b (write `a`)",
        ),
    ],
)
def test_messages(text: str, message: str) -> None:
    assert told(text) == message


def test_yaml_and_model_are_told_together() -> None:
    codes = [problem.code for problem in problems_of("note: a\nnote: b\nshare: x\nparts: &p []\n")]
    assert codes == ["DC-CFG-006", "DC-CFG-004", "DC-CFG-008"]


def test_what_was_not_read_is_not_called_missing() -> None:
    assert [problem.code for problem in problems_of("parts:\n  - <<: {name: ab}\n")] == ["DC-CFG-008"]


def test_merge_goes_key_by_key() -> None:
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merged(below, {"a": {"y": [3]}, "c": {}}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": {}}
    assert merged(below, {"a": None}) == {"a": None, "b": 1}
    assert below == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


def test_dotted() -> None:
    assert dotted(("shop", "payments", 2, "x")) == "shop.payments[2].x"
    assert dotted(()) == ""
