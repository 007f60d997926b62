"""Readers that trust nothing about the shape of an object.

The schema check reports a list where a map belongs, and the rules must still run to the end: these answer
"nothing" for what is not there or is of the wrong type.
"""

from __future__ import annotations

import math
from typing import Any

from generator.render.model import Body


def dig(value: Any, *path: str) -> Any:
    """What lies at `path` in nested maps, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def mapping(value: Any) -> Body:
    """`value` if it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def maps(value: Any) -> list[Body]:
    """The maps of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The strings of a list; empty for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def whole(value: Any, default: int = 0) -> int:
    """`value` if it is a whole number, else `default`."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def string_map(value: Any) -> dict[str, str]:
    """The entries of a map whose value is a string: labels, annotations, a ConfigMap's data."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def share(amount: Any, of: int) -> int | None:
    """A count or a percentage ("25%", rounded up as Kubernetes does for budgets) of `of`; None if it is
    neither.
    """
    if isinstance(amount, int) and not isinstance(amount, bool):
        return amount
    if isinstance(amount, str) and amount.endswith("%") and amount[:-1].isdigit():
        return math.ceil(int(amount[:-1]) * of / 100)
    return None
