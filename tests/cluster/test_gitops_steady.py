"""Once synced it stays synced: nothing fights over an object, Argo CD least of all with itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster import applications
from cluster.api import Object
from cluster.applications import APPLICATIONS, NAMESPACE
from cluster.bed import Bed
from cluster.gitops_story import MANAGER, applied_at, item, left_as_found, operation, push, watch, written
from cluster.repository import Repository

ROUNDS = 3
SHOP, FRONTEND = "shop", "shop-frontend"
DEPLOYMENTS = "apps/v1/deployments"
AUTOSCALERS = "autoscaling/v2/horizontalpodautoscalers"
METRICS = "metrics.k8s.io/v1beta1/pods"
USAGE = "kwok.x-k8s.io/usage-cpu"
POLICY = "networking.k8s.io/v1/networkpolicies"
OWN_POLICY = "server-egress"


def objects(bed: Bed, repository: Repository) -> dict[str, Object]:
    """Every object of the tree as it is in the cluster; the migration is a new Job at every sync."""
    found = bed.get("-R", "-f", repository.tree / "manifests", "-f", repository.tree / "argocd")["items"]
    return {
        f"{each['kind']} {each['metadata'].get('namespace', '')}/{each['metadata']['name']}": each
        for each in found
        if each["kind"] != "Job"
    }


@pytest.fixture
def under_load(synced: Bed) -> Iterator[int]:
    """The storefront with so much to do that its autoscaler adds a pod; how many there are then."""
    scaler = synced.api.get(AUTOSCALERS, FRONTEND, SHOP)
    calm = scaler["spec"]["minReplicas"]
    _use(synced, "500m")
    synced.wait_until(lambda: _replicas(synced) > calm, "the autoscaler adds a pod", timeout=60)
    synced.wait_until(lambda: _available(synced) == _replicas(synced), "the new pod serves", timeout=30)
    _use(synced, None)  # an autoscaler waits for five minutes before it removes a pod
    yield _replicas(synced)
    synced.wait_until(lambda: _used(synced) < 50, "the pods' metrics say that they are idle", timeout=30)
    synced.api.delete(AUTOSCALERS, FRONTEND, SHOP)  # the next, made by Argo CD, knows of no other number
    synced.api.patch(DEPLOYMENTS, FRONTEND, {"spec": {"replicas": calm}}, SHOP)
    synced.wait_until(lambda: _replicas(synced) == calm == _available(synced), "one pod fewer")
    synced.wait_until(lambda: synced.api.find(AUTOSCALERS, FRONTEND, SHOP) is not None, "its autoscaler")
    applications.wait_healthy(synced, [FRONTEND])


def test_nothing_is_written_again_while_an_autoscaler_works(
    synced: Bed, repository: Repository, under_load: int
) -> None:
    applications.wait_healthy(synced)
    before = objects(synced, repository)
    seen = watch(synced, ROUNDS)
    after = objects(synced, repository)
    assert seen.unsteady() == []
    rewritten = [name for name in before if applied_at(after[name]) != applied_at(before[name])]
    assert rewritten == [], "Argo CD applied these again"
    changed = [
        name
        for name in before
        if before[name]["kind"] not in ("Application", "AppProject")
        and written(after[name]) != written(before[name])
    ]
    assert changed == [], "somebody changed these"
    assert _replicas(synced) == under_load, "Argo CD left the autoscaler's number alone"


def test_replicas_belong_to_the_autoscaler_alone(synced: Bed) -> None:
    for name in ("shop-backend", FRONTEND):
        fields = synced.api.get(DEPLOYMENTS, name, SHOP)["metadata"]["managedFields"]
        owners = {each["manager"] for each in fields if "f:replicas" in each["fieldsV1"].get("f:spec", {})}
        assert MANAGER not in owners, name


def test_argo_cd_manages_itself_and_the_root_the_root_once_a_commit(
    synced: Bed, repository: Repository
) -> None:
    file, root = f"manifests/argo-cd/networkpolicy-{OWN_POLICY}.yaml", "argocd/root.yaml"
    with left_as_found(synced, repository):
        history = {name: _history(synced, name) for name in ("argo-cd", "root")}
        edited = repository.read(file).replace("  labels:\n", "  labels:\n    bed/edit: one\n", 1)
        renamed = repository.read(root).replace("Everything that", "All that", 1)
        revision = push(repository, {file: edited, root: renamed}, "Argo CD and the root")
        applications.wait_healthy(synced, revision=revision)
        seen = watch(synced, ROUNDS)
        assert seen.unsteady() == []
        assert {name: _history(synced, name) - history[name] for name in history} == {"argo-cd": 1, "root": 1}
        policy = synced.api.get(POLICY, OWN_POLICY, NAMESPACE)
        assert policy["metadata"]["labels"]["bed/edit"] == "one"
        assert item(synced, "root")["spec"]["info"][0]["value"].startswith("All that")


def test_argo_cd_does_not_heal_itself_so_that_people_can(synced: Bed) -> None:
    started = operation(synced, "argo-cd")["startedAt"]
    label = {"metadata": {"labels": {"app.kubernetes.io/part-of": "by-hand"}}}
    synced.api.patch(POLICY, OWN_POLICY, label, NAMESPACE)
    try:
        synced.wait_until(lambda: _sync(synced, "argo-cd") == "OutOfSync", "Argo CD sees the edit")
        watch(synced, ROUNDS, ["argo-cd"])
        assert operation(synced, "argo-cd")["startedAt"] == started
        labels = synced.api.get(POLICY, OWN_POLICY, NAMESPACE)["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "by-hand"
    finally:
        label["metadata"]["labels"]["app.kubernetes.io/part-of"] = "dhakacart"
        synced.api.patch(POLICY, OWN_POLICY, label, NAMESPACE)
    applications.wait_healthy(synced, ["argo-cd"])


def _use(bed: Bed, usage: str | None) -> None:
    for pod in bed.api.list("v1/pods", SHOP, labels=f"app.kubernetes.io/name={FRONTEND}"):
        body = {"metadata": {"annotations": {USAGE: usage}}}
        bed.api.patch("v1/pods", pod["metadata"]["name"], body, SHOP)


def _used(bed: Bed) -> int:
    """What the storefront's busiest pod uses by its metrics, in millicores."""
    told = bed.api.list(METRICS, SHOP, labels=f"app.kubernetes.io/name={FRONTEND}")
    used = [container["usage"]["cpu"] for pod in told for container in pod["containers"]]
    return max((_millicores(each) for each in used), default=0)


def _millicores(quantity: str) -> int:
    units = {"n": 1_000_000, "u": 1_000, "m": 1}
    number, unit = (quantity[:-1], units[quantity[-1]]) if quantity[-1] in units else (quantity, 0)
    return int(number) // unit if unit else int(number) * 1000


def _replicas(bed: Bed) -> int:
    return int(bed.api.get(DEPLOYMENTS, FRONTEND, SHOP)["spec"]["replicas"])


def _available(bed: Bed) -> int:
    return int(bed.api.get(DEPLOYMENTS, FRONTEND, SHOP)["status"].get("availableReplicas", 0))


def _history(bed: Bed, name: str) -> int:
    return int(item(bed, name)["status"]["history"][-1]["id"])


def _sync(bed: Bed, name: str) -> str:
    return str(bed.api.get(APPLICATIONS, name, NAMESPACE)["status"]["sync"]["status"])
