"""Rules run to the end whatever is in an object: a wrong shape is for the schema check to report."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from check.support import base, rendered
from generator.check.run import check
from generator.render.model import Body

TODAY = date(2026, 11, 22)
Path = tuple[Any, ...]
WRONG: list[Any] = [None, "text", 7, True, [], {}, ["text"], [None], {"key": None}, [{}]]
# Without these there is no object at all; rendering itself refuses it.
NEEDED = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything in `value`."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def replaced(body: Body, path: Path, value: Any) -> Body:
    """`body` with `value` at `path`."""
    copy: Any = deepcopy(body)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy  # type: ignore[no-any-return]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_any_value_may_be_of_the_wrong_type(wrong: Any) -> None:
    world = base()
    clean = dict(world.objects)
    candidates = {key: [path for path in paths(body) if path not in NEEDED] for key, body in clean.items()}
    # The first value of every object at once, then the second, and so on: quick, and as telling.
    for position in range(max(map(len, candidates.values()))):
        for key, body in clean.items():
            for path in candidates[key][position : position + 1]:
                world.objects[key] = replaced(body, path, wrong)
        check(rendered(world), TODAY)


@pytest.mark.parametrize("key", list(base().objects), ids=str)
def test_any_object_may_be_missing(key: tuple[str, str, str]) -> None:
    world = base()
    del world.objects[key]
    check(rendered(world), TODAY)
