"""Questions that tests ask of synthesized stacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Stack = Mapping[str, Any]


def resources(stack: Stack, kind: str) -> dict[str, dict[str, Any]]:
    """Resources of a type, by id; empty where there are none."""
    return dict(stack["resource"].get(kind, {}))


def statements(policy: str) -> list[dict[str, Any]]:
    """Statements of a policy document."""
    return list(json.loads(policy)["Statement"])


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, without what CDKTF notes for itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "//":
                yield from texts(each)
