"""AppProjects: what Applications may do is what the rendered objects and the charts need, no more.

Each names its repositories, its namespaces and its kinds, exactly: an object of a new kind, or in a new
namespace, widens the project in the same commit, where a reviewer sees it. The built-in `default` project,
which allows everything to everyone, is emptied.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from generator.argocd.charts import Kind, chart_kinds
from generator.argocd.common import API_VERSION, KEEP, PROJECT_WAVE, SERVER, WAVE, metadata
from generator.facts.charts import charts
from generator.render.app import App
from generator.render.model import Body, Obj, Rendered

OWNER = "platform"
SOURCE = "generator/argocd/projects.py"
DESCRIPTIONS = {
    "platform": "What the cluster needs before any workload: operators, edge, certificates, secrets, Argo CD",
    "monitoring": "Metrics, logs and alerts",
    "shop": "The shop itself: storefront, API and migrations",
}


class Needs(NamedTuple):
    """What one app asks of its project."""

    repositories: frozenset[str]
    namespaces: frozenset[str]
    cluster_kinds: frozenset[Kind]
    namespaced_kinds: frozenset[Kind]


def projects(rendered: Rendered) -> tuple[Obj, ...]:
    """The AppProjects that this environment's apps name, by name, and the emptied `default`."""
    members: dict[str, list[App]] = {}
    for app in rendered.apps:
        members.setdefault(app.project, []).append(app)
    objects: dict[str, list[Obj]] = {}
    for obj in rendered.objects:
        objects.setdefault(obj.app, []).append(obj)
    repository = rendered.environment.gitops.repository
    used = (
        _project(name, [needs(app, objects.get(app.name, []), repository) for app in members[name]])
        for name in sorted(members)
    )
    return (_default_project(), *used)


def needs(app: App, objects: Iterable[Obj], repository: str) -> Needs:
    """What `app` asks for with these objects of its own, of `repository`, and with what its chart brings."""
    objects = tuple(objects)
    own = Needs(
        frozenset({repository}),
        frozenset({app.namespace, *(obj.namespace for obj in objects if obj.namespace)}),
        frozenset(Kind(obj.identity.group, obj.kind) for obj in objects if not obj.namespace),
        frozenset(Kind(obj.identity.group, obj.kind) for obj in objects if obj.namespace),
    )
    if not app.chart:
        return own
    brought = chart_kinds()[app.chart]
    return Needs(
        own.repositories | {charts()[app.chart].argo_repository},
        own.namespaces | brought.extra_namespaces,
        own.cluster_kinds | brought.cluster_kinds,
        own.namespaced_kinds | brought.namespaced_kinds,
    )


def _project(name: str, all_needs: list[Needs]) -> Obj:
    spec = {
        "description": DESCRIPTIONS[name],
        "sourceRepos": sorted(frozenset[str]().union(*(need.repositories for need in all_needs))),
        "destinations": [
            {"server": SERVER, "namespace": namespace}
            for namespace in sorted(frozenset[str]().union(*(need.namespaces for need in all_needs)))
        ],
        "clusterResourceWhitelist": _kinds(need.cluster_kinds for need in all_needs),
        "namespaceResourceWhitelist": _kinds(need.namespaced_kinds for need in all_needs),
        "orphanedResources": {"warn": True},
    }
    return _obj(name, {WAVE: str(PROJECT_WAVE)}, spec)


def _kinds(sets: Iterable[frozenset[Kind]]) -> list[dict[str, str]]:
    return [{"group": kind.group, "kind": kind.kind} for kind in sorted(frozenset[Kind]().union(*sets))]


def _default_project() -> Obj:
    """The lists are written although empty: left out, the ones that Argo CD made itself would stay."""
    spec: Body = {
        "description": "Emptied: every Application names a project of its own",
        "sourceRepos": [],
        "destinations": [],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [],
    }
    return _obj("default", {WAVE: str(PROJECT_WAVE), **KEEP}, spec)


def _obj(name: str, annotations: dict[str, str], spec: Body) -> Obj:
    body = {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": metadata(name, OWNER, annotations),
        "spec": spec,
    }
    return Obj(name, SOURCE, body)
