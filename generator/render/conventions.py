"""What holds for every object, applied in one place: namespace, standard labels, protection of data."""

from __future__ import annotations

from typing import Any

from generator.config.names import PROJECT
from generator.render.app import AppSpec
from generator.render.model import Body

OWNER_LABEL = f"{PROJECT}.com.bd/owner"
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"

CLUSTER_SCOPED = frozenset(
    {
        "APIService", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore",
        "CustomResourceDefinition", "GatewayClass", "IngressClass", "MutatingWebhookConfiguration",
        "Namespace", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    }
)  # fmt: skip
HOLDS_DATA = frozenset({"Namespace", "PersistentVolume", "PersistentVolumeClaim"})
_TEMPLATE = ("spec", "template")
POD_TEMPLATES = {
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), _TEMPLATE),
}


def apply(body: Body, name: str, app: AppSpec) -> Body:
    """`body` with the house's conventions, changed in place: it was parsed for this call alone."""
    metadata = body["metadata"]
    kind = body["kind"]
    if kind not in CLUSTER_SCOPED:
        metadata.setdefault("namespace", app.namespace)
    labels = _labels(name, app)
    metadata["labels"] = labels | metadata.get("labels", {})
    if kind in HOLDS_DATA:
        _keep(metadata)
    if kind in POD_TEMPLATES and (template := _pod_template(body)) is not None:
        pod = template.setdefault("metadata", {})
        pod["labels"] = labels | pod.get("labels", {})
    return body


def _pod_template(body: Body) -> Body | None:
    """The pod template, where there is one: the schema check says so where there is none."""
    part: Any = body
    for key in POD_TEMPLATES[body["kind"]]:
        part = part.get(key) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else None


def _labels(name: str, app: AppSpec) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": PROJECT,
        "app.kubernetes.io/managed-by": "argocd",
        OWNER_LABEL: app.owner,
    }


def _keep(metadata: dict[str, Any]) -> None:
    """Argo CD neither prunes it nor deletes it with its Application: data outlives a mistake in Git.

    Nor does it count what stays so as a difference, which it would try to heal again and again.
    """
    annotations = metadata.setdefault("annotations", {})
    annotations.setdefault(SYNC_OPTIONS, "Prune=false,Delete=false")
    annotations.setdefault(COMPARE_OPTIONS, "IgnoreExtraneous")
