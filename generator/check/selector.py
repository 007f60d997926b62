"""Label selectors, and finding by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from generator.check.shape import mapping, maps, text, texts
from generator.render.model import Body

T = TypeVar("T")

Labels = Mapping[str, str]


def selects(selector: Any, labels: Labels) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) selects `labels`. Empty selects all, None
    nothing.
    """
    if not isinstance(selector, dict):
        return False
    for key, value in mapping(selector.get("matchLabels")).items():
        if labels.get(key) != value:
            return False
    expressions = selector.get("matchExpressions")
    return not expressions or all(_expression_holds(item, labels) for item in maps(expressions))


def _expression_holds(expression: Body, labels: Labels) -> bool:
    key, operator = text(expression.get("key")), expression.get("operator")
    values = texts(expression.get("values"))
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) == (operator == "Exists")


class LabelIndex(Generic[T]):
    """Things found by label selector within a namespace, without going through all of them."""

    def __init__(self) -> None:
        self._items: dict[str, list[T]] = defaultdict(list)
        self._all: dict[str, list[tuple[Labels, T]]] = defaultdict(list)
        self._having: dict[tuple[str, str, str], list[tuple[Labels, T]]] = defaultdict(list)

    def add(self, namespace: str, labels: Labels, item: T) -> None:
        """Make `item` findable."""
        entry = (labels, item)
        self._items[namespace].append(item)
        self._all[namespace].append(entry)
        for key, value in labels.items():
            self._having[namespace, key, value].append(entry)

    def select(self, namespace: str, selector: Any) -> list[T]:
        """What `selector` selects in `namespace`, in the order added."""
        if not isinstance(selector, dict):
            return []
        if not selector:
            return self._items.get(namespace, [])
        candidates = self._all.get(namespace, [])
        wanted = mapping(selector.get("matchLabels"))
        for key, value in wanted.items():
            having = self._having.get((namespace, key, value), []) if isinstance(value, str) else []
            if len(having) < len(candidates):
                candidates = having
        if len(selector) == len(wanted) == 1:
            return [item for _, item in candidates]  # all of them have the one label that is asked for
        return [item for labels, item in candidates if selects(selector, labels)]
