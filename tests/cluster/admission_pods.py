"""Pods that must not run, each one change away from the shop's own, in all the shapes that make pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Change = Callable[[Object], object]

DIGEST = "@sha256:" + "1" * 64
DIGEST_POLICY = "dhakacart-image-digest"
REGISTRY_POLICY = "dhakacart-image-registry"
RELEASE_POLICY = "dhakacart-image-release"
HARDENING_POLICY = "dhakacart-pod-hardening"
REQUESTS_POLICY = "dhakacart-resource-requests"
SECURITY = 'violates PodSecurity "restricted:'
"""Pod Security admission comes before our policies, and looks at pods only: of what makes them it warns."""
ADMITTED = "admitted"
"""A bare pod that says too little is filled in by the LimitRange."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A change for the worse: who refuses what makes such pods (`policy`), and what is said (`words`).

    `pod` is what is said of a bare pod, where that is something else.
    """

    name: str
    change: Change
    policy: str
    words: str
    pod: str = ""

    @property
    def refusal(self) -> str:
        """Our message, at least its beginning."""
        said = f"ValidatingAdmissionPolicy '{self.policy}' with binding '{self.policy}' denied request: "
        return said + self.words


def first(pod: Object) -> Object:
    """The pod's first container."""
    container: Object = pod["containers"][0]
    return container


def image(reference: str) -> Change:
    """Runs another image."""
    return lambda pod: first(pod).update(image=reference)


def secure(**settings: Any) -> Change:
    """Other words in the container's security context; None takes one away."""

    def change(pod: Object) -> None:
        context = {**first(pod)["securityContext"], **settings}
        first(pod)["securityContext"] = {key: value for key, value in context.items() if value is not None}

    return change


def may_be_root(pod: Object) -> None:
    """Nobody says that it is not root."""
    del pod["securityContext"]["runAsNonRoot"]
    secure(runAsNonRoot=None)(pod)


def beside(kind: str, reference: str) -> Change:
    """One more container of a kind (`initContainers`, `containers`), like the first but for its image."""

    def change(pod: Object) -> None:
        own = {key: value for key, value in first(pod).items() if key in ("resources", "securityContext")}
        pod.setdefault(kind, []).append({**deepcopy(own), "name": "more", "image": reference})

    return change


def without(kind: str, resource: str) -> Change:
    """One of the container's requests or limits is not said."""
    return lambda pod: first(pod)["resources"][kind].pop(resource)


def sees_node(pod: Object) -> None:
    """Sees the node's files."""
    pod["volumes"].append({"name": "node", "hostPath": {"path": "/"}})


NOT_DIGEST = "an image here is named with its digest, name:tag@sha256:...; not so: "
NOT_OURS = "only images from ghcr.io/dhakacart run here; not so: "
NOT_SAID = "every container requests cpu and memory and limits its memory; not so: shop-backend"
ROOT_ALLOWED = "containers run as a user that is not root: set securityContext.runAsNonRoot to true"
ROOT_USER = "containers run as a user that is not root: securityContext.runAsUser must not be 0"
PRIVILEGES = "containers gain no privileges: set securityContext.allowPrivilegeEscalation to false"
HOST = "pods keep to themselves: no hostNetwork, hostPID or hostIPC"
NODE_FILES = "pods see no files of their node: no hostPath volumes"
OURS = "ghcr.io/dhakacart/shop-backend"
FOREIGN = "docker.io/library/nginx:1.29"


def _images() -> Iterator[Bad]:
    yield Bad("tag", image(f"{OURS}:0.1.0"), DIGEST_POLICY, f"{NOT_DIGEST}{OURS}:0.1.0")
    yield Bad("latest", image(f"{OURS}:latest"), DIGEST_POLICY, f"{NOT_DIGEST}{OURS}:latest")
    yield Bad("no-tag", image(OURS), DIGEST_POLICY, f"{NOT_DIGEST}{OURS}")
    yield Bad("short-digest", image(f"{OURS}@sha256:11"), DIGEST_POLICY, NOT_DIGEST)
    yield Bad("init-tag", beside("initContainers", f"{OURS}:1"), DIGEST_POLICY, f"{NOT_DIGEST}{OURS}:1")
    yield Bad("foreign", image(FOREIGN + DIGEST), REGISTRY_POLICY, f"{NOT_OURS}{FOREIGN}{DIGEST}")
    yield Bad("look-alike", image(f"ghcr.io/dhakacart-shop/a{DIGEST}"), REGISTRY_POLICY, NOT_OURS)
    yield Bad("in-its-path", image(f"evil.example/ghcr.io/dhakacart/a{DIGEST}"), REGISTRY_POLICY, NOT_OURS)
    yield Bad("second", beside("containers", FOREIGN + DIGEST), REGISTRY_POLICY, NOT_OURS)


def _rights() -> Iterator[Bad]:
    changes: tuple[tuple[str, Change, str], ...] = (
        ("root-allowed", may_be_root, ROOT_ALLOWED),
        ("root-wanted", secure(runAsNonRoot=False), ROOT_ALLOWED),
        ("root-user", secure(runAsUser=0), ROOT_USER),
        ("pod-root-user", lambda pod: pod["securityContext"].update(runAsUser=0), ROOT_USER),
        ("privileged", secure(privileged=True, allowPrivilegeEscalation=None), PRIVILEGES),
        ("escalation", secure(allowPrivilegeEscalation=True), PRIVILEGES),
        ("not-said", secure(allowPrivilegeEscalation=None), PRIVILEGES),
        ("host-network", lambda pod: pod.update(hostNetwork=True), HOST),
        ("host-pid", lambda pod: pod.update(hostPID=True), HOST),
        ("host-ipc", lambda pod: pod.update(hostIPC=True), HOST),
        ("host-path", sees_node, NODE_FILES),
    )
    for name, change, words in changes:
        yield Bad(name, change, HARDENING_POLICY, words, SECURITY)


def _requests() -> Iterator[Bad]:
    def bad(name: str, change: Change, pod: str) -> Bad:
        return Bad(name, change, REQUESTS_POLICY, NOT_SAID, pod)

    yield bad("no-cpu", without("requests", "cpu"), ADMITTED)
    yield bad("no-memory", without("requests", "memory"), ADMITTED)
    yield bad("no-limit", without("limits", "memory"), "must be less than or equal to memory limit")
    yield bad("no-resources", lambda pod: first(pod).pop("resources"), ADMITTED)


BAD = (*_images(), *_rights(), *_requests())


def shapes(name: str, pod: Object, namespace: str) -> Iterator[Object]:
    """A pod in everything that makes pods; each object is called `<kind>-<name>`."""
    once = {**pod, "restartPolicy": "Never"}
    yield made("v1", "Pod", name, namespace, pod)
    yield made("apps/v1", "Deployment", name, namespace, _selected(pod))
    yield made("apps/v1", "StatefulSet", name, namespace, {**_selected(pod), "serviceName": name})
    yield made("apps/v1", "DaemonSet", name, namespace, _selected(pod))
    yield made("batch/v1", "Job", name, namespace, {"template": {"spec": once}})
    schedule = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": once}}}}
    yield made("batch/v1", "CronJob", name, namespace, schedule)


def made(version: str, kind: str, name: str, namespace: str, spec: Object) -> Object:
    """An object called `<kind>-<name>`."""
    metadata = {"name": f"{kind.lower()}-{name}", "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def changed(pod: Object, change: Change) -> Object:
    """A copy of the pod's spec with the change."""
    copy = deepcopy(pod)
    change(copy)
    return copy


def _selected(pod: Object) -> Object:
    labels = {"app.kubernetes.io/name": "sample"}
    return {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
