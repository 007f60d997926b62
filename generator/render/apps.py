"""The folder `apps/` → apps in the order of their dependencies."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from generator.config.document import read_document
from generator.config.validate import validate_model
from generator.problem import Place, Problem, ProblemsError
from generator.render.app import App, AppSpec


def load_apps(folder: Path, root: Path) -> tuple[App, ...]:
    """Every app of `folder`, dependencies first, else by name; ProblemsError with all that is wrong."""
    problems: list[Problem] = []
    apps: dict[str, App] = {}
    for path in _app_files(folder, root):
        try:
            apps[path.parent.name] = _load_app(path, root)
        except ProblemsError as error:
            problems += error.problems
    known = {path.parent.name for path in _app_files(folder, root)}
    problems += [problem for app in apps.values() for problem in _unknown_dependencies(app, known)]
    if problems:
        raise ProblemsError(problems)
    return _in_order(apps)


def _app_files(folder: Path, root: Path) -> list[Path]:
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "_.")
    except OSError as error:
        shown = Place(_shown(folder, root))
        raise ProblemsError(
            [
                Problem(
                    "DC-APP-010",
                    f"cannot read the apps: {error.strerror}",
                    "give a folder that exists and is readable",
                    shown,
                )
            ]
        ) from None
    return [path / "app.yaml" for path in folders]


def _load_app(path: Path, root: Path) -> App:
    document = read_document(path, root)
    spec = validate_model(AppSpec, document)
    fields = {name: getattr(spec, name) for name in AppSpec.model_fields}
    return App.model_construct(**fields, name=path.parent.name, folder=path.parent, document=document)


def _unknown_dependencies(app: App, known: Iterable[str]) -> Iterator[Problem]:
    names = sorted(known)
    for index, dependency in enumerate(app.depends_on):
        if dependency not in names:
            near = difflib.get_close_matches(dependency, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"apps are {', '.join(names)}"
            where = app.document.place(("dependsOn", index))
            yield Problem(
                "DC-APP-011", f"`{app.name}` depends on `{dependency}`, which does not exist", hint, where
            )


def _in_order(apps: dict[str, App]) -> tuple[App, ...]:
    """Dependencies first; among equals by name, so that the order never depends on the file system."""
    sorter = TopologicalSorter({name: apps[name].depends_on for name in sorted(apps)})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ProblemsError([_cycle(apps, list(error.args[1]))]) from None
    ordered: list[App] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [apps[name] for name in ready]
        sorter.done(*ready)
    return tuple(ordered)


def _cycle(apps: dict[str, App], names: list[str]) -> Problem:
    # graphlib lists each before what needs it; people read "a needs b".
    chain = " → ".join(f"`{name}`" for name in reversed(names))
    app = apps[names[-1]]
    hint = "remove one `dependsOn` of this chain"
    return Problem(
        "DC-APP-012",
        f"apps depend on each other in a circle: {chain}",
        hint,
        app.document.place(("dependsOn",)),
    )


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
