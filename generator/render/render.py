"""One environment over all apps → its objects and chart values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from generator.config.load import LoadedEnvironment
from generator.problem import Place, Problem, ProblemsError
from generator.render import conventions
from generator.render.app import App
from generator.render.model import Body, Obj, Rendered
from generator.render.parse import BrokenYamlError, parse
from generator.render.templates import Templates

VALUES = "values.yaml.j2"


def render(loaded: LoadedEnvironment, apps: Iterable[App], templates: Templates) -> Rendered:
    """All objects of an environment; ProblemsError with every template that failed."""
    taking_part = tuple(app for app in apps if app.takes_part_in(loaded.environment))
    objects: list[Obj] = []
    values: dict[str, Body] = {}
    problems: list[Problem] = []
    for app in taking_part:
        context = template_context(loaded.environment, app)
        for name in template_names(app):
            try:
                bodies = _bodies(templates, name, context)
                if name.endswith(f"/{VALUES}"):
                    values[app.name] = bodies[0] if bodies else {}
                else:
                    objects += [_object(body, templates.shown(name), app) for body in bodies]
            except ProblemsError as error:
                problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return Rendered(loaded, taking_part, tuple(objects), values)


def template_context(environment: Any, app: App) -> dict[str, Any]:
    """What a template can name."""
    return {"env": environment, "names": environment.names, "app": app}


def template_names(app: App) -> list[str]:
    """Names of an app's templates, relative to the folder of all apps, sorted."""
    base = app.folder.parent
    return sorted(path.relative_to(base).as_posix() for path in app.folder.rglob("*.yaml.j2"))


def _bodies(templates: Templates, name: str, context: Mapping[str, Any]) -> list[Body]:
    text = templates.render(name, context)
    try:
        return parse(text)
    except BrokenYamlError as error:
        place = Place(templates.shown(name), templates.line_of(name, context, error.line))
        shown = text.split("\n")[error.line - 1 : error.line]
        hint = f"it rendered: {shown[0].strip()}" if shown else ""
        raise ProblemsError([Problem("DC-APP-004", f"renders broken YAML: {error}", hint, place)]) from None


def _object(body: Body, source: str, app: App) -> Obj:
    missing = [
        key
        for key, found in (
            ("apiVersion", isinstance(body.get("apiVersion"), str)),
            ("kind", isinstance(body.get("kind"), str)),
            (
                "metadata.name",
                isinstance(body.get("metadata"), dict) and isinstance(body["metadata"].get("name"), str),
            ),
        )
        if not found
    ]
    if missing:
        hint = "every document is a Kubernetes object with apiVersion, kind and metadata.name, all text"
        raise ProblemsError(
            [Problem("DC-APP-005", f"an object lacks {', '.join(missing)}", hint, Place(source))]
        )
    return Obj(app.name, source, conventions.apply(body, app.name, app))
