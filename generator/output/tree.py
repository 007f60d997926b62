"""What an environment is, as files: relative path → bytes. Nothing is read or written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.output.emit import UnwritableError, to_yaml
from generator.problem import Place, Problem, ProblemsError
from generator.render.model import Identity, Rendered

_UNSAFE = re.compile(r"[^a-z0-9.-]")
_ROOT_APPLICATION = ("Application", "root")


@dataclass(frozen=True, slots=True)
class _File:
    """One file to be: where it lies, and the object (or the Helm values of an app) in it."""

    path: str
    source: str
    identity: Identity
    body: Mapping[str, Any]


def tree(rendered: Rendered) -> dict[str, bytes]:
    """The files of an environment, by their path below `clusters/<env>/`, in the order of rendering.

    - `manifests/<app>/<kind>-<name>.yaml`, lower case, one object a file. An object outside its app's
      namespace has its own in the name: `<kind>-<name>.<namespace>.yaml`. A name follows from the object and
      its app alone, so that no new object ever renames another's file.
    - `argocd/<kind>-<name>.yaml`, and `argocd/root.yaml` for the Application named root.
    - `values/<app>.yaml`, the Helm values.

    Raises ProblemsError with all of: DC-OUT-001 (two files of one name), DC-OUT-002 (one object twice),
    DC-OUT-008 (a value that YAML readers would not give back).
    """
    files = list(_files(rendered))
    written, problems = _written(files)
    problems += [*_twice(files), *_clashes(files)]
    if problems:
        raise ProblemsError(problems)
    return written


def header(source: str) -> str:
    """First line of every rendered file: whoever opens it learns what to edit instead."""
    return f"# Rendered from {source}; edit that and run `make render`.\n"


def _files(rendered: Rendered) -> Iterator[_File]:
    home = {app.name: app.namespace for app in rendered.apps}
    for obj in rendered.objects:
        suffix = f".{obj.namespace}" if obj.namespace not in ("", home.get(obj.app)) else ""
        path = f"manifests/{obj.app}/{_safe(f'{obj.kind}-{obj.name}{suffix}')}.yaml"
        yield _File(path, obj.source, obj.identity, obj.body)
    for obj in rendered.argocd:
        is_root = (obj.kind, obj.name) == _ROOT_APPLICATION
        name = "root" if is_root else _safe(f"{obj.kind}-{obj.name}")
        yield _File(f"argocd/{name}.yaml", obj.source, obj.identity, obj.body)
    for app, values in rendered.values.items():
        identity = Identity("", "Helm values", "", app)
        yield _File(f"values/{app}.yaml", f"apps/{app}/values.yaml.j2", identity, values)


def _safe(name: str) -> str:
    """A file name for every system: RBAC allows colons and capitals in names."""
    return _UNSAFE.sub("_", name.lower())


def _written(files: Iterable[_File]) -> tuple[dict[str, bytes], list[Problem]]:
    written, problems = {}, []
    for file in files:
        try:
            written[file.path] = (header(file.source) + to_yaml(file.body)).encode()
        except UnwritableError as error:
            problems.append(
                Problem(
                    "DC-OUT-008",
                    f"{error.path} cannot be written as YAML: {error.reason}",
                    where=Place(file.source),
                    subject=str(file.identity),
                )
            )
    return written, problems


def _twice(files: Iterable[_File]) -> Iterator[Problem]:
    """Two objects that the API server takes for one: the last to be applied would win."""
    first: dict[Identity, _File] = {}
    for file in files:
        other = first.setdefault(file.identity, file)
        if other is not file:
            sources = f"{other.source} and {file.source}" if other.source != file.source else file.source
            yield Problem(
                "DC-OUT-002",
                f"{file.identity} is rendered twice, by {sources}",
                "One object has one source: remove one of the two, or rename it.",
                where=Place(file.source),
                subject=str(file.identity),
                also=(Place(other.source),),
            )


def _clashes(files: Iterable[_File]) -> Iterator[Problem]:
    """Two objects for one file, also where only case tells the names apart: macOS does not."""
    first: dict[str, _File] = {}
    for file in files:
        other = first.setdefault(file.path.casefold(), file)
        if other.identity != file.identity:
            ours, theirs = f"{file.identity} ({file.source})", f"{other.identity} ({other.source})"
            yield Problem(
                "DC-OUT-001",
                f"{theirs} and {ours} would both be written to {file.path}",
                "Rename one of the two, or render it from another app.",
                where=Place(file.source),
                subject=str(file.identity),
                also=(Place(other.source),),
            )
