"""Admission: bad pods are refused in our words, ours run, at full load and while a release rolls, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from apiserver.control_plane import KubectlError

from cluster import edge_infra
from cluster.admission_plane import ENVIRONMENTS, Object, Plane, as_list, objects, running
from cluster.admission_pods import (
    ADMITTED,
    BAD,
    DIGEST,
    RELEASE_POLICY,
    SECURITY,
    changed,
    first,
    image,
    made,
    shapes,
)

pytestmark = pytest.mark.cluster

SHOP = "shop"
DEPLOYMENTS = "apps/v1/deployments"
RESTART = {"spec": {"template": {"metadata": {"annotations": {"bed/restart": "1"}}}}}
POLICY_WRITTEN_WRONG = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "written-wrong"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["deployments"],
                }
            ]
        },
        "validations": [{"expression": "object.spec.replcas > 1"}],
    },
}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """An environment's control plane; workloads are applied when its policies are in force."""
    name = str(request.param)
    with running(tmp_path_factory.mktemp(name), name) as plane:
        plane.apply_foundation()
        probes = [list(shapes(bad.name, changed(our_pod(plane), bad.change), SHOP))[1] for bad in BAD]
        plane.wait(lambda: len(plane.refusals(probes)) == len(probes), "admission policies in force")
        plane.apply_workloads()
        plane.wait(lambda: all_started(plane), "every pod ready")
        yield plane


def our_pod(plane: Plane) -> Object:
    """The pod of the API, as committed: all that is bad here is one change away from it."""
    pod: Object = the(plane, "Deployment", "shop-backend")["spec"]["template"]["spec"]
    return pod


def the(plane: Plane, kind: str, name: str) -> Object:
    """A committed object."""
    [found] = [
        body
        for body in objects(plane.environment)
        if body["kind"] == kind and body["metadata"]["name"] == name
    ]
    return found


def all_started(plane: Plane) -> bool:
    """Every Deployment has its pods, ready, and every Job is through."""
    through = all(job.get("status", {}).get("succeeded") for job in plane.items("/apis/batch/v1/jobs"))
    return through and all(
        body.get("status", {}).get("readyReplicas") == body["spec"]["replicas"] for body in deployments(plane)
    )


def all_rolled(plane: Plane) -> bool:
    """As `kubectl rollout status` has it: every pod new and available, and no other one counts."""
    return all(
        body["status"].get("observedGeneration", 0) >= body["metadata"]["generation"]
        and [body["status"].get(name, 0) for name in COUNTS] == [body["spec"]["replicas"]] * len(COUNTS)
        for body in deployments(plane)
    )


COUNTS = ("replicas", "updatedReplicas", "availableReplicas")


def deployments(plane: Plane) -> list[Object]:
    """All Deployments that there are."""
    return plane.items("/apis/apps/v1/deployments")


# --- policies


def test_expressions_type_check(plane: Plane) -> None:
    plane.cluster.kubectl("apply", "-f", "-", text=json.dumps(POLICY_WRITTEN_WRONG))

    def checked() -> bool:
        return all("typeChecking" in body.get("status", {}) for body in policies())

    def policies() -> list[Object]:
        return plane.items("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies")

    plane.wait(checked, "type checks of the admission policies")
    found = {body["metadata"]["name"]: body["status"]["typeChecking"] for body in policies()}
    [warning] = found.pop("written-wrong")["expressionWarnings"]
    assert "undefined field 'replcas'" in warning["warning"]
    assert len(found) == 5
    assert {name: verdict for name, verdict in found.items() if verdict} == {}


def test_every_bad_pod_is_refused_with_our_words(plane: Plane) -> None:
    bodies = [body for bad in BAD for body in shapes(bad.name, changed(our_pod(plane), bad.change), SHOP)]
    said = plane.refusals(bodies)
    expected = {f"{kind}-{bad.name}": bad.refusal for bad in BAD for kind in MAKERS}
    expected |= {f"pod-{bad.name}": bad.pod or bad.refusal for bad in BAD if bad.pod != ADMITTED}
    wrong = {
        name: said.get(name, "admitted")
        for name, words in expected.items()
        if words not in said.get(name, "")
    }
    assert wrong == {}
    assert said.keys() == expected.keys()


MAKERS = ("deployment", "statefulset", "daemonset", "job", "cronjob")


def test_the_unchanged_pod_is_admitted_in_every_shape(plane: Plane) -> None:
    assert plane.refusals(shapes("good", our_pod(plane), SHOP)) == {}


def test_a_pod_that_says_nothing_gets_the_requests_of_the_limit_range(plane: Plane) -> None:
    pod = changed(our_pod(plane), lambda pod: first(pod).pop("resources"))
    create = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    body = made("v1", "Pod", "silent", SHOP, pod)
    admitted = json.loads(plane.cluster.kubectl(*create, text=json.dumps(body)).output)
    [limit] = [
        body
        for body in objects(plane.environment)
        if body["kind"] == "LimitRange" and body["metadata"]["namespace"] == SHOP
    ]
    [container] = limit["spec"]["limits"]
    wanted = {"requests": container["defaultRequest"], "limits": container["default"]}
    assert first(admitted["spec"])["resources"] == wanted


UPSTREAM = {  # image → refused
    "docker.io/library/nginx": True,
    "docker.io/library/nginx:latest": True,
    "registry.example:5000/nginx": True,
    "docker.io/library/nginx:1.29": False,
    "registry.example:5000/nginx:1.29": False,
    f"docker.io/library/nginx{DIGEST}": False,
}


@pytest.mark.parametrize("namespace", ["edge", "monitoring", "node-agents"])
def test_upstream_images_name_a_release(plane: Plane, namespace: str) -> None:
    bodies = {
        f"deployment-image-{number}": list(
            shapes(f"image-{number}", changed(our_pod(plane), image(name)), namespace)
        )[1]
        for number, name in enumerate(UPSTREAM)
    }
    said = plane.refusals(bodies.values())
    names = dict(zip(UPSTREAM, bodies, strict=True))
    assert said.keys() == {names[name] for name, refused in UPSTREAM.items() if refused}
    for name, why in said.items():
        assert f"'{RELEASE_POLICY}'" in why
        assert "an image names one release, by a tag other than latest or by its digest; not so: " in why, (
            name
        )


def test_node_agents_may_see_their_node_and_nobody_else_may(plane: Plane) -> None:
    [see] = [bad for bad in BAD if bad.name == "host-path"]
    pod = changed(changed(our_pod(plane), see.change), lambda pod: pod.pop("serviceAccountName"))
    said = {name: plane.refusals(list(shapes("see", pod, name))[:2]) for name in namespaces_of(plane)}
    assert said.pop("node-agents") == {}
    for namespace, refused in said.items():
        assert SECURITY in refused["pod-see"], namespace
        assert see.refusal in refused["deployment-see"], namespace


def namespaces_of(plane: Plane) -> list[str]:
    """Those that we make."""
    return [body["metadata"]["name"] for body in objects(plane.environment) if body["kind"] == "Namespace"]


def test_namespaces_that_are_not_ours_are_left_alone(plane: Plane) -> None:
    pods = [changed(our_pod(plane), bad.change) for bad in BAD]
    bodies = [list(shapes(bad.name, pod, "kube-system"))[1:] for bad, pod in zip(BAD, pods, strict=True)]
    assert plane.refusals(body for some in bodies for body in some) == {}


def test_an_update_is_held_to_the_same(plane: Plane) -> None:
    change = ("set", "image", "--dry-run=server", "--namespace", SHOP, "deployment/shop-backend")
    with pytest.raises(KubectlError, match=r"only images from ghcr\.io/dhakacart run here"):
        plane.cluster.kubectl(*change, f"shop-backend=docker.io/library/nginx:1{DIGEST}")


def test_a_debug_container_is_held_to_the_same(plane: Plane) -> None:
    pod = plane.items(f"/api/v1/namespaces/{SHOP}/pods?labelSelector=app.kubernetes.io/name=shop-backend")[0]
    path = f"/api/v1/namespaces/{SHOP}/pods/{pod['metadata']['name']}/ephemeralcontainers"
    debug = {"name": "debug", "image": "ghcr.io/dhakacart/debug:1", "securityContext": DEBUG_SECURITY}
    pod["spec"]["ephemeralContainers"] = [debug]
    with pytest.raises(KubectlError, match="an image here is named with its digest"):
        plane.cluster.kubectl("replace", "--raw", path, "-f", "-", text=json.dumps(pod))


DEBUG_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


# --- quotas


@dataclass(frozen=True)
class FullLoad:
    """What was seen with every HPA at its maximum and a release rolling through."""

    failures: list[tuple[str, str]]
    quotas: dict[str, dict[str, tuple[Decimal, Decimal]]]
    pods: int


@pytest.fixture(scope="module")
def full_load(plane: Plane) -> FullLoad:
    """Every Deployment at its maximum, then all rolled; no old pod is gone before the last new one is there.

    The proxies, which Envoy Gateway would make, are put together by `edge_infra`.
    """
    create_edge(plane)
    for namespace, name, most in at_most(plane):
        plane.api.patch(DEPLOYMENTS, name, {"spec": {"replicas": most, "minReadySeconds": 0}}, namespace)
    plane.wait(lambda: all_rolled(plane), "every pod ready at full load")
    for namespace, name, _ in at_most(plane):
        plane.api.patch(DEPLOYMENTS, name, RESTART, namespace)
    plane.wait(lambda: all_rolled(plane) or bool(plane.failed_creations()), "a release rolled through")
    return FullLoad(plane.failed_creations(), plane.quotas(), len(plane.items("/api/v1/pods")))


def create_edge(plane: Plane) -> None:
    """What Envoy Gateway makes: its Service and Deployment, with a ServiceAccount."""
    gateway, proxy = the(plane, "Gateway", "shop"), the(plane, "EnvoyProxy", "shop")
    ports = edge_infra.listener_ports(gateway)
    service = edge_infra.service(gateway, proxy, ports)
    patch = proxy["spec"]["provider"]["kubernetes"]["envoyService"]["patch"]
    bodies = [
        edge_infra.patched(plane.cluster, service, patch),
        edge_infra.deployment(gateway, proxy),
    ]
    plane.cluster.kubectl("create", "-f", "-", text=as_list(bodies))


def at_most(plane: Plane) -> list[tuple[str, str, int]]:
    """(namespace, Deployment, maximum of its autoscaler)."""
    scaled = [
        (body["metadata"]["namespace"], body["spec"]["scaleTargetRef"]["name"], body["spec"]["maxReplicas"])
        for body in objects(plane.environment)
        if body["kind"] == "HorizontalPodAutoscaler"
    ]
    gateway, proxy = the(plane, "Gateway", "shop"), the(plane, "EnvoyProxy", "shop")
    metadata = gateway["metadata"]
    return [*scaled, (metadata["namespace"], metadata["name"], edge_infra.most_replicas(proxy))]


def test_controllers_create_every_pod_at_full_load_and_in_a_release(
    plane: Plane, full_load: FullLoad
) -> None:
    assert full_load.failures == []
    assert full_load.pods >= sum(most for _, _, most in at_most(plane))


def test_quotas_hold_full_load_and_a_release(full_load: FullLoad) -> None:
    over = {
        f"{namespace} {name}": f"{used} of {hard}"
        for namespace, resources in full_load.quotas.items()
        for name, (used, hard) in resources.items()
        if used > hard
    }
    assert over == {}
    assert {namespace for namespace, used in full_load.quotas.items() if used["pods"][0]} == {SHOP, "edge"}


def test_a_runaway_is_stopped_by_the_quota(plane: Plane, full_load: FullLoad) -> None:
    for namespace, name, most in at_most(plane):
        plane.api.patch(DEPLOYMENTS, name, {"spec": {"replicas": 4 * most}}, namespace)

    def stopped() -> bool:
        return {namespace for namespace, _ in plane.failed_creations()} == {SHOP, "edge"}

    plane.wait(stopped, "the quotas' refusal")
    assert all("exceeded quota: quota" in why for _, why in plane.failed_creations())
    for resources in plane.quotas().values():
        assert all(used <= hard for used, hard in resources.values())


@pytest.mark.parametrize(
    ("namespace", "kind", "limited"),
    [
        (SHOP, "LoadBalancer", "services.loadbalancers=0"),
        (SHOP, "NodePort", "services.nodeports=0"),
        ("edge", "NodePort", "services.nodeports=2"),
    ],
)
def test_no_second_way_in(plane: Plane, full_load: FullLoad, namespace: str, kind: str, limited: str) -> None:
    spec = {"type": kind, "ports": [{"port": 80}], "selector": {"app.kubernetes.io/name": "sample"}}
    said = plane.refusals([made("v1", "Service", "door", namespace, spec)])
    assert "exceeded quota: quota" in said["service-door"]
    assert limited in said["service-door"].rpartition("limited: ")[2]
