"""The root Application: the one that is applied by hand, once, and syncs all others.

It lies in the folder that it syncs, so it manages itself: a new revision or repository in the environment
file reaches it like everything else. It is in the last wave, since a sync waits for the health of what it
applied and the root is healthy only when all others are (its own health is not counted,
argoproj/argo-cd#1557). It is never pruned, and without finalizer: deleting it by mistake leaves every
Application, and all that they run, as it was.
"""

from __future__ import annotations

from generator.argocd.applications import notifications, sync_policy
from generator.argocd.common import (
    API_VERSION,
    KEEP,
    NAMESPACE,
    PROJECT_WAVE,
    ROOT,
    SERVER,
    WAVE,
    argocd_path,
    metadata,
)
from generator.argocd.waves import waves
from generator.render.model import Obj, Rendered

OWNER = "platform"
SOURCE = "generator/argocd/root.py"


def root_application(rendered: Rendered) -> Obj:
    """The Application that syncs `clusters/<env>/argocd`."""
    environment = rendered.environment
    path = argocd_path(environment.name)
    last = max(waves(rendered.apps).values(), default=0) + 1
    annotations = {
        WAVE: str(last),
        "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
        **KEEP,
        **notifications(environment),
    }
    body = {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": metadata(ROOT, OWNER, annotations),
        "spec": {
            "project": ROOT,
            "source": {
                "repoURL": environment.gitops.repository,
                "targetRevision": environment.gitops.revision,
                "path": path,
            },
            "destination": {"server": SERVER, "namespace": NAMESPACE},
            # It waits for every wave in turn, and an app that is degraded for a while ends an attempt.
            "syncPolicy": sync_policy(None, retries=20),
            "info": [{"name": "What", "value": f"Everything that {environment.name} is"}],
        },
    }
    return Obj(ROOT, SOURCE, body)


def root_project(rendered: Rendered) -> Obj:
    """The root's own AppProject: Applications and AppProjects in Argo CD's namespace, from this repository.

    Its own, and not `platform`, because who may create Applications and AppProjects may in the end do
    anything: no other Application can.
    """
    body = {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": metadata(ROOT, OWNER, {WAVE: str(PROJECT_WAVE), **KEEP}),
        "spec": {
            "description": "The root Application, which alone creates Applications and AppProjects",
            "sourceRepos": [rendered.environment.gitops.repository],
            "destinations": [{"server": SERVER, "namespace": NAMESPACE}],
            "clusterResourceWhitelist": [],
            "namespaceResourceWhitelist": [
                {"group": "argoproj.io", "kind": "AppProject"},
                {"group": "argoproj.io", "kind": "Application"},
            ],
        },
    }
    return Obj(ROOT, SOURCE, body)
