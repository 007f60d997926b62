"""What Argo CD's objects share: names, paths in the repository, metadata."""

from __future__ import annotations

from typing import Any

from generator.config.names import PROJECT
from generator.render.conventions import OWNER_LABEL, SYNC_OPTIONS

API_VERSION = "argoproj.io/v1alpha1"
NAMESPACE = "argocd"  # where Argo CD runs, and the only one that it reads Applications from
SERVER = "https://kubernetes.default.svc"  # the cluster that Argo CD runs in; it manages no other
ROOT = "root"  # name of the root Application and of its AppProject
WAVE = "argocd.argoproj.io/sync-wave"
KEEP = {SYNC_OPTIONS: "Prune=false,Delete=false"}

# AppProjects bound the Applications of every later wave, so they are there first.
PROJECT_WAVE = -10


def argocd_path(environment: str) -> str:
    """Folder of Argo CD's own objects, from the repository's root."""
    return f"clusters/{environment}/argocd"


def manifests_path(environment: str, app: str) -> str:
    """Folder of an app's objects."""
    return f"clusters/{environment}/manifests/{app}"


def values_path(environment: str, app: str) -> str:
    """File of an app's Helm values."""
    return f"clusters/{environment}/values/{app}.yaml"


def metadata(name: str, owner: str, annotations: dict[str, str]) -> dict[str, Any]:
    """Metadata of an object in Argo CD's namespace, with the labels that every object here has."""
    return {
        "name": name,
        "namespace": NAMESPACE,
        "labels": {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": PROJECT,
            "app.kubernetes.io/managed-by": "argocd",
            OWNER_LABEL: owner,
        },
        "annotations": annotations,
    }
