"""What the Helm charts bring: kinds and namespaces, from `chart_kinds.json`.

A chart's objects are rendered by Argo CD, not here, so what its AppProject must allow is a fact about the
chart, kept beside this file with its source. Kinds are written as kubectl writes them: `Deployment.apps`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from generator.facts.charts import charts
from generator.problem import Problem, ProblemsError
from generator.render.app import App

FILE = Path(__file__).with_name("chart_kinds.json")


class Kind(NamedTuple):
    """A kind of object, as an AppProject names it."""

    group: str
    kind: str


@dataclass(frozen=True, slots=True)
class ChartKinds:
    """What one chart creates with the values that `apps/` gives it; `source` says where that was read."""

    cluster_kinds: frozenset[Kind]
    namespaced_kinds: frozenset[Kind]
    extra_namespaces: frozenset[str]
    source: str


def require_charts(apps: Iterable[App]) -> None:
    """ProblemsError with every app whose chart the facts or `chart_kinds.json` do not have."""
    problems = [problem for app in apps if app.chart for problem in _problems(app, app.chart)]
    if problems:
        raise ProblemsError(problems)


def _problems(app: App, name: str) -> Iterator[Problem]:
    where = app.document.place(("chart",))
    if name not in charts():
        hint = f"charts are {', '.join(sorted(charts()))}"
        yield Problem("DC-APP-020", f"there is no chart `{name}` in the facts", hint, where)
    elif name not in chart_kinds():
        yield Problem(
            "DC-APP-021",
            f"nothing says which kinds of object the chart `{name}` creates",
            "add them to generator/argocd/chart_kinds.json: `helm template` of the chart shows them",
            where,
        )


@cache
def chart_kinds() -> dict[str, ChartKinds]:
    """Chart → what it creates."""
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: _chart_kinds(entry) for name, entry in data["charts"].items()}


def _chart_kinds(entry: dict[str, Any]) -> ChartKinds:
    return ChartKinds(
        frozenset(_kind(text) for text in entry["clusterKinds"]),
        frozenset(_kind(text) for text in entry["namespacedKinds"]),
        frozenset(entry["extraNamespaces"]),
        entry["source"],
    )


def _kind(text: str) -> Kind:
    kind, _, group = text.partition(".")
    return Kind(group, kind)
