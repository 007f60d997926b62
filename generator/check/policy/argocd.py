"""Argo CD: what it may do, what it reads, and that it does it by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.check.index import Index
from generator.check.rule import Finding, Findings, environment_rule, object_rule
from generator.check.shape import dig, mapping, maps, text, texts
from generator.render.model import Body, Obj

APPLICATION = ("Application",)
EXACT_VERSION = re.compile(r"^v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$")
NO_PROJECT = ("default", "")
SELF_MANAGED = "argo-cd"
KIND_LISTS = ("clusterResourceWhitelist", "namespaceResourceWhitelist")


def _sources(application: Obj) -> list[Body]:
    spec = mapping(application.body.get("spec"))
    source = spec.get("source")
    return maps(spec.get("sources")) + ([source] if isinstance(source, dict) else [])


@object_rule("DC-ARGO-001", "Applications belong to a project of ours", kinds=APPLICATION)
def project(obj: Obj, index: Index) -> Findings:
    """`spec.project` must be a rendered AppProject, and not `default`.

    Why: the project is what bounds the namespaces, kinds and repositories; `default` bounds nothing.

    Fix: `project` in the app's `app.yaml`.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
    """
    name = text(dig(obj.body, "spec", "project"))
    if name in NO_PROJECT:
        yield Finding("it belongs to the project default", "name one of ours")
    elif index.get("AppProject", obj.namespace, name) is None:
        yield Finding(f"there is no AppProject {name}", "name one that is rendered")


@object_rule("DC-ARGO-002", "Applications follow a named revision", kinds=APPLICATION)
def revision(obj: Obj, _index: Index) -> Findings:
    """`targetRevision` must be a branch or tag, not `HEAD`; that of a chart an exact version, not a range.

    Why: with a range, the same commit here gives another cluster tomorrow.

    Fix: the version of the facts for a chart; `env.gitops.revision` for this repository.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/best_practices/
    """
    for source in _sources(obj):
        wanted = text(source.get("targetRevision"))
        if wanted in ("", "HEAD"):
            yield Finding("it follows HEAD", "name the branch, tag or version")
        elif "chart" in source and not EXACT_VERSION.fullmatch(wanted):
            yield Finding(f"chart {source['chart']} is not pinned: {wanted}", "write one exact version")


@object_rule("DC-ARGO-003", "Applications read folders and files that are rendered", kinds=APPLICATION)
def path(obj: Obj, index: Index) -> Findings:
    """A source's `path` must be the folder of a rendered app, or of Argo CD's own objects; its
    `valueFiles`, rendered values.

    Why: a path that is not there fails the sync; an old one that still is keeps what should be gone.

    Fix: leave the paths to the generator.

    Sources: kube-linter has none; the layout is `docs/architecture.md`.
    """
    root = f"clusters/{index.environment.name}"
    folders = {f"{root}/manifests/{app}" for app in index.rendered_apps} | {f"{root}/argocd"}
    files = {f"{root}/values/{app}.yaml" for app in index.rendered.values}
    for source in _sources(obj):
        folder = source.get("path")
        if isinstance(folder, str) and folder.rstrip("/") not in folders:
            yield Finding(f"it reads {folder}, which is not rendered", "correct `path`")
        for file in texts(dig(source, "helm", "valueFiles")):
            if _from_root(file) not in files:
                yield Finding(f"it reads the values {file}, which are not rendered", "correct `valueFiles`")


def _from_root(file: str) -> str:
    """A value file's path in the repository: `$values/clusters/…` → `clusters/…`."""
    return file.partition("/")[2] if file.startswith("$") else file


@object_rule("DC-ARGO-004", "Projects name what they allow", kinds=("AppProject",))
def project_wildcards(obj: Obj, _index: Index) -> Findings:
    """`sourceRepos`, `destinations`, `clusterResourceWhitelist`, `namespaceResourceWhitelist` and
    `sourceNamespaces` must have no `*`.

    Why: a project that allows everything is none: whoever can change one app's folder could change the
    whole cluster.

    Fix: the generator computes each list from what is rendered.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
    """
    spec = mapping(obj.body.get("spec"))
    starred = [
        key
        for key in ("sourceRepos", "sourceNamespaces")
        if any("*" in item for item in texts(spec.get(key)))
    ]
    starred += [
        key
        for key in ("destinations", *KIND_LISTS)
        if any("*" in text(value) for item in maps(spec.get(key)) for value in item.values())
    ]
    if starred:
        yield Finding(f"it allows anything by `*` in {', '.join(starred)}", "list what is rendered")


@object_rule("DC-ARGO-005", "Applications sync, prune and heal by themselves", kinds=APPLICATION)
def automated(obj: Obj, _index: Index) -> Findings:
    """`syncPolicy.automated` must be there, with `prune` and `selfHeal`. Argo CD's own Application needs no
    `selfHeal`: healing itself, it can undo the hand that mends it.

    Why: what is not in Git is not in the cluster; otherwise nobody knows what runs.

    Fix: leave it to the generator; `sync` in `app.yaml` with an exemption where it must differ.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/; argoproj/argoproj-deployments.
    """
    policy = mapping(dig(obj.body, "spec", "syncPolicy", "automated"))
    wanted = ("prune",) if obj.name == SELF_MANAGED else ("prune", "selfHeal")
    missing = [key for key in wanted if policy.get(key) is not True]
    if missing or policy.get("enabled") is False:
        off = ", ".join(missing) or "automated sync"
        yield Finding(f"{off} is off", "write `automated: {prune: true, selfHeal: true}`")


@object_rule("DC-ARGO-006", "Applications are applied by the server", kinds=APPLICATION)
def server_side(obj: Obj, _index: Index) -> Findings:
    """`syncPolicy.syncOptions` must contain `ServerSideApply=true`.

    Why: large CustomResourceDefinitions do not fit into client-side apply's annotation, and the server
    knows who owns which field.

    Fix: leave it to the generator.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#server-side-apply
    """
    if "ServerSideApply=true" not in texts(dig(obj.body, "spec", "syncPolicy", "syncOptions")):
        yield Finding("it is applied by the client", "add `ServerSideApply=true` to `syncOptions`")


@environment_rule("DC-ARGO-007", "The project default allows nothing", kinds=("AppProject",))
def default_project(index: Index) -> Findings:
    """Where Applications are rendered, so must be an AppProject `default` in their namespace, without
    sources and destinations.

    Why: Argo CD makes it at start, allowing everything, and every Application that says nothing is in it.

    Fix: render it with `sourceRepos: []` and `destinations: []`.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#the-default-project
    """
    for namespace in sorted({obj.namespace for obj in index.of(*APPLICATION)}):
        found = index.get("AppProject", namespace, "default")
        example = next(obj for obj in index.of(*APPLICATION) if obj.namespace == namespace)
        if found is None:
            yield Finding(
                f"namespace {namespace} has Applications, and Argo CD makes a project default for all",
                "render an empty one",
                obj=example,
            )
        elif dig(found.body, "spec", "sourceRepos") or dig(found.body, "spec", "destinations"):
            yield Finding("the project default allows something", "empty it", obj=found)


@environment_rule("DC-ARGO-008", "Projects allow what their Applications need", kinds=APPLICATION)
def project_allows(index: Index) -> Findings:
    """An Application's repositories and destination, and the kinds and namespaces of the objects in its
    folder, must be allowed by its AppProject.

    Why: what is not allowed is refused at sync time, by then too late.

    Fix: leave the lists to the generator.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
    """
    for application in index.of(*APPLICATION):
        owner = index.get("AppProject", application.namespace, dig(application.body, "spec", "project"))
        if owner is None or owner.name in NO_PROJECT:
            continue
        for refused in dict.fromkeys(_refused(index, application, mapping(owner.body.get("spec")))):
            yield Finding(f"its project {owner.name} does not allow {refused}", "add it", obj=application)


def _refused(index: Index, application: Obj, allowed: Body) -> Iterator[str]:
    for source in _sources(application):
        repository = text(source.get("repoURL"))
        if repository not in texts(allowed.get("sourceRepos")):
            yield f"the repository {repository}"
    namespaces = {text(item.get("namespace")) for item in maps(allowed.get("destinations"))}
    destination = text(dig(application.body, "spec", "destination", "namespace"))
    if destination and destination not in namespaces:
        yield f"the namespace {destination}"
    cluster_kinds, kinds = ({_kind(item) for item in maps(allowed.get(key))} for key in KIND_LISTS)
    for obj in _contents(index, application):
        if obj.namespace and obj.namespace not in namespaces:
            yield f"the namespace {obj.namespace}"
        # An absent list of namespaced kinds allows all of them; an absent list of cluster kinds none.
        listed = kinds if obj.namespace else cluster_kinds
        limited = not obj.namespace or "namespaceResourceWhitelist" in allowed
        if limited and (obj.identity.group, obj.kind) not in listed:
            yield f"the kind {obj.kind}"


def _kind(item: Body) -> tuple[str, str]:
    return text(item.get("group")), text(item.get("kind"))


def _contents(index: Index, application: Obj) -> Iterator[Obj]:
    """The objects in the folders that an Application reads."""
    folders = f"clusters/{index.environment.name}"
    for source in _sources(application):
        folder = text(source.get("path")).rstrip("/")
        if folder == f"{folders}/argocd":
            yield from index.rendered.argocd
        elif folder.startswith(f"{folders}/manifests/"):
            yield from index.rendered_apps.get(folder.rpartition("/")[2], ())
