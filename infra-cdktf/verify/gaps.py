"""What moto does not do: resources that are planned, but not applied to it.

Tests hold the table to the stacks and to moto: a type that no stack has, or that moto has learned, fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from verify.tree import Stack

GAPS: Mapping[str, str] = {}
"""Resource type → what moto answers."""
REFERENCE = re.compile(r"\b(aws_[a-z0-9_]+\.[A-Za-z0-9_-]+)")


def without_gaps(stack: Stack, gaps: Mapping[str, str] = GAPS) -> tuple[Stack, list[str]]:
    """The stack that moto can apply, and the addresses left out: those of the table, and what needs them."""
    out = {f"{kind}.{name}" for kind, name, _ in _resources(stack) if kind in gaps}
    while more := {
        address
        for kind, name, body in _resources(stack)
        if (address := f"{kind}.{name}") not in out and out & set(_needs(body))
    }:
        out |= more
    return _kept(stack, out), sorted(out)


def _resources(stack: Stack) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, named in stack.get("resource", {}).items():
        for name, body in named.items():
            yield kind, name, body


def _needs(value: Any) -> Iterator[str]:
    """Addresses that expressions in a value refer to; an order wished by `depends_on` is none."""
    if isinstance(value, str):
        for expression in re.findall(r"\$\{.*?\}", value):
            yield from REFERENCE.findall(expression)
    elif isinstance(value, list):
        for each in value:
            yield from _needs(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("depends_on", "//"):
                yield from _needs(each)


def _kept(stack: Stack, out: set[str]) -> Stack:
    resources: dict[str, dict[str, Any]] = {}
    for kind, name, body in _resources(stack):
        if f"{kind}.{name}" not in out:
            order = [each for each in body.get("depends_on", []) if each not in out]
            bare = {key: value for key, value in body.items() if key != "depends_on"}
            resources.setdefault(kind, {})[name] = bare | ({"depends_on": order} if order else {})
    outputs = {name: value for name, value in stack.get("output", {}).items() if not out & set(_needs(value))}
    return {**stack, "resource": resources, "output": outputs}
