"""A small model of what Argo CD does with Applications and AppProjects, for tests.

It reads only the rendered objects, never the code that made them: waves from their annotations, permissions
as Argo CD's project rules read them (a destination, a repository and a kind: each by an exact entry).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from generator.render.model import Identity, Obj, Rendered

WAVE = "argocd.argoproj.io/sync-wave"


def wave(obj: Obj) -> int:
    """The wave that an object is synced in."""
    return int(obj.body["metadata"].get("annotations", {}).get(WAVE, "0"))


def by_kind(rendered: Rendered, kind: str) -> dict[str, Obj]:
    """Argo CD's objects of one kind, by name."""
    return {obj.name: obj for obj in rendered.argocd if obj.kind == kind}


def apps(rendered: Rendered) -> dict[str, Obj]:
    """The Applications but for the root."""
    return {name: obj for name, obj in by_kind(rendered, "Application").items() if name != "root"}


def sync_order(objects: Iterable[Obj]) -> list[tuple[int, list[str]]]:
    """What one sync does: (wave, what is applied in it), each step after the one before is healthy."""
    steps: dict[int, list[str]] = {}
    for obj in objects:
        steps.setdefault(wave(obj), []).append(f"{obj.kind} {obj.name}")
    return [(number, sorted(steps[number])) for number in sorted(steps)]


def sources(application: Obj) -> list[dict[str, Any]]:
    """One source or several, as a list."""
    spec = application.body["spec"]
    return [spec["source"]] if "source" in spec else list(spec["sources"])


def repository_allowed(project: Obj, repository: str) -> bool:
    """Whether an Application of the project may read this repository."""
    return repository in project.body["spec"]["sourceRepos"]


def object_allowed(project: Obj, server: str, identity: Identity) -> bool:
    """Whether an Application of the project may create such an object on this cluster."""
    spec = project.body["spec"]
    namespaced = bool(identity.namespace)
    kinds = spec["namespaceResourceWhitelist" if namespaced else "clusterResourceWhitelist"]
    kind_allowed = {"group": identity.group, "kind": identity.kind} in kinds
    if not namespaced:
        return kind_allowed
    return kind_allowed and {"server": server, "namespace": identity.namespace} in spec["destinations"]
