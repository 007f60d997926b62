"""What Git says holds: edits by hand are put back, what left Git goes, what holds data stays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cluster import applications
from cluster.applications import APPLICATIONS, NAMESPACE
from cluster.bed import Bed
from cluster.gitops_story import left_as_found, push, watch
from cluster.repository import Repository

SHOP, FRONTEND = "shop", "shop-frontend"
DEPLOYMENTS, SERVICES = "apps/v1/deployments", "v1/services"
POLICIES = "networking.k8s.io/v1/networkpolicies"
CLAIMS, VOLUMES, NAMESPACES = "v1/persistentvolumeclaims", "v1/persistentvolumes", "v1/namespaces"
KEEP = {  # what the generator writes on objects that hold data
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}
KEPT = "cert-manager"  # a Namespace that this file takes out of Git for a while
SECONDS = 30
ROUNDS = 2

CLAIM = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "orders",
            "namespace": SHOP,
            "annotations": KEEP,
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "",
            "volumeName": "orders",
        },
    }
)
VOLUME: dict[str, object] = {
    "metadata": {"name": "orders"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "claimRef": {"namespace": SHOP, "name": "orders"},
        "hostPath": {"path": "/nowhere"},
        "persistentVolumeReclaimPolicy": "Retain",
    },
}
POLICY = json.dumps(
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "short-lived", "namespace": SHOP},
        "spec": {"podSelector": {"matchLabels": {"app": "nothing"}}, "policyTypes": ["Ingress"]},
    }
)


def test_edits_by_hand_are_put_back(synced: Bed) -> None:
    api = synced.api
    labels = {"metadata": {"labels": {"app.kubernetes.io/part-of": "somebody"}}}
    policy = api.get(POLICIES, FRONTEND, SHOP)["metadata"]["uid"]
    port = api.get(SERVICES, FRONTEND, SHOP)["spec"]["ports"][0]
    api.patch(DEPLOYMENTS, FRONTEND, {"spec": {"minReadySeconds": 77}, **labels}, SHOP)
    api.patch(SERVICES, FRONTEND, {"spec": {"ports": [{**port, "targetPort": 1}]}}, SHOP)
    api.delete(POLICIES, FRONTEND, SHOP)

    def wrong() -> list[str]:
        deployment, service = api.get(DEPLOYMENTS, FRONTEND, SHOP), api.get(SERVICES, FRONTEND, SHOP)
        again = api.find(POLICIES, FRONTEND, SHOP)
        checks = {
            "Deployment's minReadySeconds": deployment["spec"]["minReadySeconds"] != 77,
            "Deployment's label": deployment["metadata"]["labels"]["app.kubernetes.io/part-of"] != "somebody",
            "Service's port": service["spec"]["ports"][0]["targetPort"] == port["targetPort"],
            "NetworkPolicy": again is not None and again["metadata"]["uid"] != policy,
        }
        return [what for what, healed in checks.items() if not healed]

    synced.wait_until(lambda: not wrong(), lambda: f"healed: {', '.join(wrong())}", SECONDS)
    applications.wait_healthy(synced, [FRONTEND])


@pytest.fixture(scope="module")
def claimed(synced: Bed, repository: Repository) -> Iterator[Repository]:
    """The storefront with a volume of its own, and with a NetworkPolicy; all as before at the end."""
    project = repository.read("argocd/appproject-shop.yaml")
    allowed = project.replace(
        "  namespaceResourceWhitelist:\n",
        '  namespaceResourceWhitelist:\n    - group: ""\n      kind: PersistentVolumeClaim\n',
    )
    files: dict[str, str | None] = {
        "argocd/appproject-shop.yaml": allowed,
        f"manifests/{FRONTEND}/persistentvolumeclaim-orders.yaml": CLAIM,
        f"manifests/{FRONTEND}/networkpolicy-short-lived.yaml": POLICY,
    }
    synced.api.create(VOLUMES, VOLUME)  # no driver makes one here, and an unbound claim is Progressing
    with left_as_found(synced, repository):
        revision = push(repository, files, "a volume for the storefront")
        there = [(CLAIMS, "orders"), (POLICIES, "short-lived")]
        synced.wait_until(
            lambda: all(synced.api.find(kind, name, SHOP) for kind, name in there),
            lambda: f"volume and policy. {applications.complain(applications.all_of(synced.api))}",
            timeout=60,
        )
        applications.wait_healthy(synced, ["root", FRONTEND], revision=revision, timeout=60)
        yield repository
    synced.api.delete(CLAIMS, "orders", SHOP)
    synced.api.delete(VOLUMES, "orders")


def test_what_left_git_is_pruned_but_for_what_holds_data(synced: Bed, claimed: Repository) -> None:
    api = synced.api
    namespace = api.get(NAMESPACES, KEPT)["metadata"]["uid"]
    files: dict[str, str | None] = {
        f"manifests/{FRONTEND}/persistentvolumeclaim-orders.yaml": None,
        f"manifests/{FRONTEND}/networkpolicy-short-lived.yaml": None,
        f"manifests/foundation/namespace-{KEPT}.yaml": None,
    }
    revision = push(claimed, files, "volume, policy and namespace go")
    synced.wait_until(
        lambda: api.find(POLICIES, "short-lived", SHOP) is None, "the NetworkPolicy is pruned", SECONDS
    )
    applications.wait_healthy(synced, ["foundation", FRONTEND], revision=revision, timeout=SECONDS)
    for kind, name, where in ((CLAIMS, "orders", SHOP), (NAMESPACES, KEPT, "")):
        kept = api.get(kind, name, where)
        assert "deletionTimestamp" not in kept["metadata"], name
    assert api.get(NAMESPACES, KEPT)["metadata"]["uid"] == namespace
    seen = watch(synced, ROUNDS, ["foundation", FRONTEND])
    assert seen.unsteady() == [], "what stays is no difference to heal"


def test_an_application_that_left_git_takes_its_objects_but_no_data(synced: Bed, claimed: Repository) -> None:
    api = synced.api
    namespaces = {each["metadata"]["name"]: each["metadata"]["uid"] for each in api.list(NAMESPACES)}
    quotas = len(api.list("v1/resourcequotas"))
    gone = (FRONTEND, "foundation")
    files: dict[str, str | None] = {f"argocd/application-{name}.yaml": None for name in gone}
    files |= {
        str(path.relative_to(claimed.tree)): None
        for name in gone
        for path in (claimed.tree / "manifests" / name).glob("*.yaml")
    }
    push(claimed, files, "storefront and foundation go")
    synced.wait_until(
        lambda: not any(api.find(APPLICATIONS, name, NAMESPACE) for name in gone),
        lambda: f"both are gone. {applications.complain(applications.all_of(api))}",
        timeout=60,
    )
    for kind in (DEPLOYMENTS, SERVICES, POLICIES):
        assert api.find(kind, FRONTEND, SHOP) is None, f"{kind}: an app of plain manifests cascades"
    assert "deletionTimestamp" not in api.get(CLAIMS, "orders", SHOP)["metadata"]
    left = {each["metadata"]["name"]: each["metadata"]["uid"] for each in api.list(NAMESPACES)}
    assert left == namespaces, "no namespace is touched"
    assert len(api.list("v1/resourcequotas")) == quotas, "an app with namespaces does not cascade"
