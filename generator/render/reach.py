"""Which objects a config value reaches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.config.document import Path
from generator.problem import ProblemsError
from generator.render.app import App
from generator.render.model import Body, Obj, Rendered
from generator.render.parse import BrokenYamlError, parse
from generator.render.render import VALUES, template_names
from generator.render.templates import Templates
from generator.render.trace import Trace, WrittenWholeError

Make = Callable[[Any], Sequence[Body]]
"""A stand-in of the environment → what is made of it, in the order of the objects."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one source makes of a value: the objects that depend on it."""

    source: str
    objects: tuple[str, ...]


def reaches(
    rendered: Rendered, templates: Templates, argocd: Callable[[Rendered], Sequence[Obj]], path: Path
) -> list[Reach]:
    """Everything of the environment that depends on the value at `path`, or on one below it."""
    found = [*_of_templates(rendered, templates, path), _of_argocd(rendered, argocd, path)]
    return [reach for reach in found if reach.objects]


def _of_templates(rendered: Rendered, templates: Templates, path: Path) -> Iterator[Reach]:
    made: dict[str, list[str]] = defaultdict(list)
    for obj in rendered.objects:
        made[obj.source].append(str(obj.identity))
    for app in rendered.apps:
        for name in template_names(app):
            source = templates.shown(name)
            objects = made[source] or [f"chart values of {app.name}"] * name.endswith(VALUES)

            def make(environment: Any, name: str = name, app: App = app) -> list[Body]:
                context = {"env": environment, "names": _Names(environment), "app": app}
                return parse(templates.render(name, context))

            depends = _touches(_presence(app), path)
            yield Reach(source, tuple(objects) if depends else _dependent(rendered, make, objects, path))


def _of_argocd(rendered: Rendered, argocd: Callable[[Rendered], Sequence[Obj]], path: Path) -> Reach:
    def make(environment: Any) -> list[Body]:
        config = replace(rendered.config, environment=environment)
        return [obj.body for obj in argocd(replace(rendered, config=config))]

    names = [str(obj.identity) for obj in rendered.argocd]
    return Reach("generator/argocd", _dependent(rendered, make, names, path))


def _dependent(rendered: Rendered, make: Make, names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Those of `names` that depend on the value: all if one reads it, of several those that it changes."""
    seen: set[Path] = set()
    before = make(Trace(rendered.environment, (), seen))
    read = {one for one in seen if _touches({one}, path)}
    if not read or len(names) < 2:
        return tuple(names) if read else ()
    changed = {name for one in read for name in _changed(rendered, make, names, before, one)}
    return tuple(name for name in names if name in changed)


def _changed(
    rendered: Rendered, make: Make, names: Sequence[str], before: Sequence[Body], path: Path
) -> Sequence[str]:
    """Those of `names` that change when the value at `path` does; all where that cannot be told."""
    other = {path: another(_value(rendered, path))}
    try:
        after = make(Trace(rendered.environment, (), set(), other))
    except (
        WrittenWholeError,
        ProblemsError,
        BrokenYamlError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
    ):
        return names
    if len(after) != len(before) or len(before) != len(names):
        return names
    return [name for name, old, new in zip(names, before, after, strict=True) if old != new]


def another(value: Any) -> Any:
    """A value of the same form that is clearly another one; it need not be a valid one."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value * 2 + 1
        case str():
            doubled, numbers = re.subn(r"\d+", lambda found: str(int(found[0]) * 2 + 1), value, count=1)
            return doubled if numbers else f"{value}x"
        case tuple():
            return value[:-1]
        case _:
            return None


def _value(rendered: Rendered, path: Path) -> Any:
    value: Any = rendered.environment.model_dump(by_alias=True)
    for step in path:
        value = value[step]
    return value


def _touches(read: set[Path], path: Path) -> bool:
    return any(one[: len(path)] == path or path[: len(one)] == one for one in read)


def _presence(app: App) -> set[Path]:
    """What decides whether the app takes part at all."""
    return set() if {"eks", "k3s"} <= set(app.clusters) else {("cluster", "kind")}


class _Names:
    """`names` for templates, made only when asked: else every template would seem to read them."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.names, name)
