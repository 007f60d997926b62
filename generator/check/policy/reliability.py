"""A pod by itself: resources, probes, priority, a graceful end, and what it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.check.index import LONG_RUNNING, Index
from generator.check.rule import Finding, Findings, container_rule, pod_rule
from generator.check.shape import dig, mapping, maps, text, texts, whole
from generator.check.view import Container, Pod
from generator.render.model import Body

DEFAULT_GRACE_SECONDS = 30
SLEEP = re.compile(r"\bsleep\s+(\d+)")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
BUILT_IN_PRIORITIES = ("system-cluster-critical", "system-node-critical")


def _serves(container: Container) -> bool:
    """Whether it is a main container of something that runs for good: what probes are for."""
    return not container.init and container.pod.obj.kind in LONG_RUNNING


@container_rule("DC-REL-001", "Every container requests CPU and memory")
def requests(container: Container, _index: Index) -> Findings:
    """`resources.requests` must have `cpu` and `memory`.

    Why: the scheduler places pods, and the autoscaler counts load, by requests alone.

    Fix: requests as measured under load.

    Sources: CKV_K8S_10, CKV_K8S_12; KSV-0015, KSV-0016.
    """
    given = mapping(dig(container.body, "resources", "requests"))
    missing = [key for key in ("cpu", "memory") if not given.get(key)]
    if missing:
        yield Finding(
            f"container {container.name} requests no {' and no '.join(missing)}", "set `resources.requests`"
        )


@container_rule("DC-REL-002", "Every container has a memory limit")
def memory_limit(container: Container, _index: Index) -> Findings:
    """`resources.limits.memory` must be set. (CPU is left without a limit: throttling costs latency.)

    Why: a leak must end one container, not starve its node.

    Fix: `limits: {memory: …}`, equal to the request for what serves customers.

    Sources: KSV-0018; C-0271.
    """
    if not dig(container.body, "resources", "limits", "memory"):
        yield Finding(f"container {container.name} has no memory limit", "set `resources.limits.memory`")


@container_rule("DC-REL-003", "Every container tells when it is ready")
def readiness(container: Container, _index: Index) -> Findings:
    """A container of a Deployment, StatefulSet or DaemonSet must have a `readinessProbe`. Jobs need none.

    Why: without it a pod gets requests before it can answer, and a broken release replaces a working one.

    Fix: probe `/readyz`, which answers 200 once the program can serve.

    Sources: CKV_K8S_9; polaris readinessProbeMissing.
    """
    if _serves(container) and not container.body.get("readinessProbe"):
        yield Finding(f"container {container.name} has no readiness probe", "probe its `/readyz`")


@container_rule("DC-REL-004", "Every container is restarted when it hangs")
def liveness(container: Container, _index: Index) -> Findings:
    """A container of a Deployment, StatefulSet or DaemonSet must have a `livenessProbe`. Jobs need none.

    Why: a process that hangs does not exit, so only a probe restarts it.

    Fix: probe `/livez`, which must not depend on the database: a restart would not mend that.

    Sources: CKV_K8S_8; polaris livenessProbeMissing.
    """
    if _serves(container) and not container.body.get("livenessProbe"):
        yield Finding(f"container {container.name} has no liveness probe", "probe its `/livez`")


@container_rule("DC-REL-005", "Every container is given time to start")
def startup(container: Container, _index: Index) -> Findings:
    """A container of a Deployment, StatefulSet or DaemonSet must have a `startupProbe`. Jobs need none.

    Why: a liveness probe that is quick enough later kills a program that starts slowly on a busy node,
    again and again.

    Fix: the same request as the liveness probe, with `periodSeconds` × `failureThreshold` as the longest
    start.

    Sources: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
    """
    if _serves(container) and not container.body.get("startupProbe"):
        yield Finding(f"container {container.name} has no startup probe", "add one beside the liveness probe")


@container_rule("DC-REL-006", "Probes ask a port that the container has")
def probe_ports(container: Container, _index: Index) -> Findings:
    """The port of every probe must be one of the container's `ports`, by name or number.

    Why: a probe of a wrong port never succeeds: the pod is restarted for ever, or never gets ready.

    Fix: correct the port, best by naming it.

    Sources: kube-linter liveness-port, readiness-port, startup-port.
    """
    declared = {
        port.get(key)
        for port in container.ports
        for key in ("name", "containerPort")
        if _is_port(port.get(key))
    }
    for key in PROBES:
        probe = mapping(container.body.get(key))
        for handler in ("httpGet", "tcpSocket", "grpc"):
            port = mapping(probe.get(handler)).get("port")
            if _is_port(port) and port not in declared:
                yield Finding(
                    f"the {key} of container {container.name} asks port {port}, which it does not have",
                    f"it has: {', '.join(sorted(map(str, declared))) or 'no ports'}",
                )


def _is_port(port: Any) -> bool:
    return isinstance(port, (int, str))


@pod_rule("DC-REL-017", "Every pod has a priority class that exists")
def priority(pod: Pod, index: Index) -> Findings:
    """`priorityClassName` must be set, to a rendered PriorityClass or one of Kubernetes' own.

    Why: when nodes run out, priority decides who goes. A pod with an unknown class is refused.

    Fix: name one of the classes of the app `foundation`.

    Sources: polaris priorityClassNotSet.
    """
    name = text(pod.spec.get("priorityClassName"))
    if name in index.priority_classes or name in BUILT_IN_PRIORITIES:
        return
    known = ", ".join(sorted(index.priority_classes))
    yield Finding(
        f"there is no PriorityClass {name}" if name else "the pod has no priority class",
        f"known are: {known}" if known else "render a PriorityClass",
    )


@pod_rule("DC-REL-018", "Pods finish what they serve before they stop", kinds=("Deployment",))
def graceful_stop(pod: Pod, _index: Index) -> Findings:
    """A container with ports must have a `preStop` hook, shorter than `terminationGracePeriodSeconds` (30
    if absent).

    Why: a pod that ends is still sent requests until every proxy knows; it must go on serving for that
    long. If the hook takes the whole grace period, the program is killed in the middle of its requests.

    Fix: `lifecycle: {preStop: {sleep: {seconds: 10}}}` and `terminationGracePeriodSeconds: 45`.

    Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
    """
    grace = whole(pod.spec.get("terminationGracePeriodSeconds"), DEFAULT_GRACE_SECONDS)
    for container in pod.containers:
        hook = mapping(dig(container.body, "lifecycle", "preStop"))
        if container.init or not container.ports:
            continue
        if not hook:
            yield Finding(
                f"container {container.name} stops while requests still come in",
                "write `lifecycle: {preStop: {sleep: {seconds: 10}}}`",
            )
        elif (pause := _pause(hook)) >= grace:
            yield Finding(
                f"container {container.name} waits {pause} s of the {grace} s it has to stop",
                "raise `terminationGracePeriodSeconds`",
            )


def _pause(hook: Body) -> int:
    """Seconds that a preStop hook waits, as far as it says."""
    found = SLEEP.search(" ".join(texts(dig(hook, "exec", "command"))))
    return int(found.group(1)) if found else whole(dig(hook, "sleep", "seconds"))


@pod_rule("DC-REL-019", "What a pod mounts or reads exists")
def references(pod: Pod, index: Index) -> Findings:
    """Every ConfigMap, Secret and claim that a pod refers to must be rendered, or written by a rendered
    ExternalSecret or Certificate, unless it is marked `optional`.

    Why: a pod that refers to what does not exist waits for ever, with CreateContainerConfigError or
    FailedMount.

    Fix: correct the name, or add the object. In a namespace where a chart or controller makes objects
    nothing is said.

    Sources: https://kubernetes.io/docs/concepts/configuration/secret/
    """
    if index.is_open(pod.namespace):
        return
    for kind, name in dict.fromkeys(_references(pod)):
        if not _exists(index, kind, pod.namespace, name):
            yield Finding(
                f"it refers to {kind} {name}, which does not exist", "correct the name, or add the object"
            )


def _exists(index: Index, kind: str, namespace: str, name: str) -> bool:
    if index.get(kind, namespace, name) is not None:
        return True
    return kind == "Secret" and (namespace, name) in index.written_secrets


def _references(pod: Pod) -> Iterator[tuple[str, str]]:
    """(kind, name) of all that a pod cannot start without."""
    for volume in maps(pod.spec.get("volumes")):
        claim = dig(volume, "persistentVolumeClaim", "claimName")
        if claim:
            yield "PersistentVolumeClaim", text(claim)
        yield from _sources(volume, "secretName")
        for source in maps(dig(volume, "projected", "sources")):
            yield from _sources(source, "name")
    for container in pod.containers:
        for variable in maps(container.body.get("env")):
            yield from _keyed(mapping(variable.get("valueFrom")), "configMapKeyRef", "secretKeyRef")
        for source in maps(container.body.get("envFrom")):
            yield from _keyed(source, "configMapRef", "secretRef")


def _sources(source: Body, secret_key: str) -> Iterator[tuple[str, str]]:
    for key, kind, name_key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", secret_key)):
        body = mapping(source.get(key))
        if body and body.get("optional") is not True:
            yield kind, text(body.get(name_key))


def _keyed(source: Body, config_map: str, secret: str) -> Iterator[tuple[str, str]]:
    for key, kind in ((config_map, "ConfigMap"), (secret, "Secret")):
        body = mapping(source.get(key))
        if body and body.get("optional") is not True:
            yield kind, text(body.get("name"))
