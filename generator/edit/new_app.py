"""`new-app`: a small app, complete, that renders and passes every check."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from generator.config.base import NAME
from generator.facts.charts import charts
from generator.problem import Place, Problem, ProblemsError

SCAFFOLD = Path(__file__).with_name("scaffold")
LIKE = ("backend",)
"""What an app may start like: `backend` is an HTTP service with a container of ours."""

# Names that Argo CD or Kubernetes has taken.
_RESERVED = ("default", "root")


def new_app(
    name: str, taken: Collection[str], *, like: str = "backend", chart: str | None = None
) -> dict[str, str]:
    """`{path: text}` of the files of a new app, from the repository's root; nothing is written.

    `taken` are the names of the apps and namespaces that exist; the app gets a namespace of its own name.
    With `chart`, a name in the chart facts, it is a Helm chart with typed values, else it is `like` one of
    LIKE.

    ProblemsError: DC-EDT-001 (a name that is none), DC-EDT-002 (it is taken), DC-EDT-004 (no such chart),
    DC-EDT-005 (like nothing that is known).
    """
    problems = [*_name_problems(name, taken), *_kind_problems(like, chart)]
    if problems:
        raise ProblemsError(problems)
    prefixes = ("app.", "chart." if chart else f"{like}.")
    filled = {"@NAME@": name, "@CHART@": chart or "", "@IMAGES@": "upstream" if chart else "own"}
    return {
        f"apps/{name}/{file.name.removeprefix(prefix)}": _fill(file.read_text(encoding="utf-8"), filled)
        for prefix in prefixes
        for file in sorted(SCAFFOLD.glob(f"{prefix}*"))
    }


def _fill(text: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _name_problems(name: str, taken: Collection[str]) -> list[Problem]:
    where = Place("new-app")
    if not NAME.fullmatch(name) or name in _RESERVED or name.startswith("kube-"):
        hint = "1 to 20 lower-case letters, digits and dashes, first a letter; not kube-…, default or root"
        return [Problem("DC-EDT-001", f"`{name}` is no name for an app", hint, where)]
    if name in taken:
        hint = "edit it, or choose another name"
        return [Problem("DC-EDT-002", f"there is an app or namespace `{name}` already", hint, where)]
    return []


def _kind_problems(like: str, chart: str | None) -> list[Problem]:
    where = Place("new-app")
    if chart is not None and chart not in charts():
        hint = (
            f"charts are {', '.join(sorted(charts()))}; a new one goes into generator/facts/data/charts.json"
        )
        return [Problem("DC-EDT-004", f"there is no chart `{chart}` in the facts", hint, where)]
    if chart is None and like not in LIKE:
        hint = f"an app starts like {', '.join(LIKE)}, or from a chart"
        return [Problem("DC-EDT-005", f"no app starts like `{like}`", hint, where)]
    return []
