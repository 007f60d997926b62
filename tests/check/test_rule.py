"""The registry of rules, and finding by labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.check.rule import register, rules
from generator.check.selector import LabelIndex, selects
from generator.check.shape import share

KEYS = st.sampled_from(["app", "tier", "zone"])
VALUES = st.sampled_from(["a", "b", ""])
LABELS = st.dictionaries(KEYS, VALUES)
EXPRESSIONS = st.fixed_dictionaries(
    {
        "key": KEYS,
        "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        "values": st.lists(VALUES, max_size=2),
    }
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)


def test_a_code_is_given_once() -> None:
    known = rules()[0].code
    with pytest.raises(ValueError, match=f"two rules are called {known}"):
        register(known, "Another", "Another one.")


def test_a_code_has_an_area_and_three_digits() -> None:
    with pytest.raises(ValueError, match="DC-POD-1 is no rule code"):
        register("DC-POD-1", "Too short", "Too short.")


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {"app": "a"}, True),
        (None, {"app": "a"}, False),
        ({"matchLabels": {"app": "a", "tier": "b"}}, {"app": "a"}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["b"]}]}, {"app": "a"}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["b"]}]}, {}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {}, True),
    ],
)
def test_selectors_mean_what_kubernetes_says(selector: Any, labels: dict[str, str], expected: bool) -> None:
    assert selects(selector, labels) is expected


@given(st.lists(LABELS, max_size=6), SELECTORS)
def test_finding_by_index_is_the_same_as_trying_each(things: list[dict[str, str]], selector: Any) -> None:
    index: LabelIndex[int] = LabelIndex()
    for number, labels in enumerate(things):
        index.add("shop", labels, number)
    index.add("edge", {"app": "a"}, -1)
    assert index.select("shop", selector) == [
        n for n, labels in enumerate(things) if selects(selector, labels)
    ]


@pytest.mark.parametrize(
    ("amount", "of", "expected"),
    [(2, 10, 2), ("25%", 3, 1), ("50%", 3, 2), ("0%", 3, 0), ("x", 3, None), (True, 3, None)],
)
def test_percentages_are_rounded_up(amount: Any, of: int, expected: int | None) -> None:
    assert share(amount, of) == expected
