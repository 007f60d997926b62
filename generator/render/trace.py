"""Which config values an object was made from: the config is read through a stand-in that takes notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import BaseModel

from generator.config.document import Path
from generator.render.app import App
from generator.render.model import Rendered
from generator.render.render import VALUES, template_names
from generator.render.templates import Templates


class Trace:
    """Behaves like the model that it stands for; adds the path of every field read to `seen`.

    Properties and methods run with the stand-in as `self`, so that what they are computed from is noted too.
    """

    def __init__(self, target: BaseModel, path: Path, seen: set[Path]) -> None:
        self.__dict__.update(_target=target, _path=path, _seen=seen)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # isinstance() and match look here
        return type(self.__dict__["_target"])

    def __getattr__(self, name: str) -> Any:
        target, path, seen = (self.__dict__[key] for key in ("_target", "_path", "_seen"))
        kind = type(target)
        if name in kind.model_fields:
            return _noted(getattr(target, name), (*path, field_key(kind, name)), seen)
        if name.startswith("model_"):  # written out whole
            seen.update(leaves(target, path))
            return getattr(target, name)
        found = getattr(kind, name)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        return partial(found, self) if callable(found) else found


@dataclass(frozen=True, slots=True)
class Reach:
    """Objects of one source and the config values that they were made from."""

    source: str
    objects: tuple[str, ...]
    paths: frozenset[Path]

    def touches(self, path: Path) -> bool:
        """Whether `path`, something below it or the list that holds it was read."""
        return any(read[: len(path)] == path or path[: len(read)] == read for read in self.paths)


def template_reaches(rendered: Rendered, templates: Templates) -> Iterator[Reach]:
    """What each template of the environment reads, and the objects that it makes."""
    made: dict[str, list[str]] = defaultdict(list)
    for obj in rendered.objects:
        made[obj.source].append(str(obj.identity))
    for app in rendered.apps:
        for name in template_names(app):
            seen: set[Path] = set()
            stand_in = Trace(rendered.environment, (), seen)
            templates.render(name, {"env": stand_in, "names": _Names(stand_in), "app": app})
            source = templates.shown(name)
            objects = made[source] or [f"chart values of {app.name}"] * name.endswith(VALUES)
            yield Reach(source, tuple(objects), frozenset(seen | _presence(app)))


def traced(rendered: Rendered) -> tuple[Rendered, set[Path]]:
    """The same environment, read through a stand-in; the set fills as it is read."""
    seen: set[Path] = set()
    stand_in: Any = Trace(rendered.environment, (), seen)
    return replace(rendered, config=replace(rendered.config, environment=stand_in)), seen


class _Names:
    """`names` for templates, made only when asked: else every template would seem to read them."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.names, name)


def _presence(app: App) -> set[Path]:
    """What decides whether the app takes part at all."""
    return set() if {"eks", "k3s"} <= set(app.clusters) else {("cluster", "kind")}


def leaves(model: BaseModel, path: Path) -> Iterator[Path]:
    """Paths of every scalar and list below a model."""
    for name in type(model).model_fields:
        value, below = getattr(model, name), (*path, field_key(type(model), name))
        if isinstance(value, BaseModel):
            yield from leaves(value, below)
        else:
            yield below


def field_key(kind: type[BaseModel], name: str) -> str:
    """A field's key in YAML: its alias."""
    return kind.model_fields[name].alias or name


def _noted(value: Any, path: Path, seen: set[Path]) -> Any:
    if isinstance(value, BaseModel):
        return Trace(value, path, seen)
    seen.add(path)
    return value
