"""Resources, probes, scaling, disruption and placement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.check.index import (
    LONG_RUNNING,
    SCALED,
    Container,
    Index,
    Pod,
    dig,
    mapping,
    maps,
    selects,
    share,
    string_map,
    text,
    texts,
    whole,
)
from generator.check.rule import Finding, Findings, container_rule, object_rule, pod_rule
from generator.render.model import Body, Obj

FEWEST_CRITICAL = 3
DEFAULT_GRACE_SECONDS = 30
ZONE = "topology.kubernetes.io/zone"
NODE = "kubernetes.io/hostname"
SLEEP = re.compile(r"\bsleep\s+(\d+)")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
BUILT_IN_PRIORITIES = ("system-cluster-critical", "system-node-critical")


def _serves(container: Container) -> bool:
    """Whether it is a main container of something that runs for good: what probes are for."""
    return not container.init and container.pod.obj.kind in LONG_RUNNING


def _is_replicated(pod: Pod, index: Index) -> bool:
    return pod.obj.kind in SCALED and index.most(pod.obj) > 1


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


@object_rule("DC-REL-007", "What matters has three replicas", kinds=("HorizontalPodAutoscaler", *SCALED))
def three_replicas(obj: Obj, index: Index) -> Findings:
    """In staging and production an autoscaler's `minReplicas`, and the `replicas` of what has no
    autoscaler, must be at least 3.

    Why: with three, one may be updated while another's zone is lost, and one still answers.

    Fix: raise `replicas.min` in the environment file.

    Sources: kube-linter minimum-three-replicas, hpa-minimum-three-replicas.
    """
    if not index.environment.critical:
        return
    if obj.kind in SCALED and index.autoscaler(obj) is not None:
        return
    key = "minReplicas" if obj.kind == "HorizontalPodAutoscaler" else "replicas"
    fewest = whole(dig(obj.body, "spec", key), 1)
    if fewest < FEWEST_CRITICAL:
        yield Finding(
            f"{key} is {fewest}: {index.environment.name} needs at least {FEWEST_CRITICAL}",
            f"write {FEWEST_CRITICAL} or more",
            where=index.config_place(obj.app, "replicas", "min"),
        )


@object_rule("DC-REL-008", "Every autoscaler has a target", kinds=("HorizontalPodAutoscaler",))
def autoscaler_target(obj: Obj, index: Index) -> Findings:
    """`spec.scaleTargetRef` must name a rendered Deployment or StatefulSet of the same namespace.

    Why: an autoscaler without a target does nothing, without an error.

    Fix: correct the name. In a namespace where a chart or controller makes pods nothing is said: the target
    may be theirs.

    Sources: kube-linter dangling-horizontalpodautoscaler.
    """
    target = mapping(dig(obj.body, "spec", "scaleTargetRef"))
    kind, name = text(target.get("kind")), text(target.get("name"))
    if index.get(kind, obj.namespace, name) is None and not index.is_open(obj.namespace):
        yield Finding(f"its target, {kind} {name}, does not exist", "correct `scaleTargetRef`")


@object_rule("DC-REL-009", "Only the autoscaler sets the number of replicas", kinds=SCALED)
def replicas_under_autoscaler(obj: Obj, index: Index) -> Findings:
    """A Deployment or StatefulSet with a HorizontalPodAutoscaler must not have `spec.replicas`.

    Why: Argo CD would set the number back at each sync, in the middle of a sale.

    Fix: remove `replicas`; the autoscaler's `minReplicas` decides.

    Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/best_practices/; both targets of the
    previous repository.
    """
    if dig(obj.body, "spec", "replicas") is not None and index.autoscaler(obj) is not None:
        yield Finding(
            "it sets `replicas` and has an autoscaler: Argo CD and that would fight", "remove `replicas`"
        )


@object_rule(
    "DC-REL-010", "An autoscaler's minimum is not above its maximum", kinds=("HorizontalPodAutoscaler",)
)
def autoscaler_bounds(obj: Obj, index: Index) -> Findings:
    """`minReplicas` must not be greater than `maxReplicas`.

    Why: the API server refuses it, at sync time.

    Fix: raise `replicas.max`, or lower `replicas.min`, in the environment file.

    Sources:
    https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
    """
    spec = obj.body.get("spec")
    fewest, most = whole(dig(spec, "minReplicas"), 1), whole(dig(spec, "maxReplicas"), 1)
    if fewest > most:
        yield Finding(
            f"minReplicas is {fewest} and maxReplicas is {most}",
            f"write {fewest} or more as the maximum",
            where=index.config_place(obj.app, "replicas", "max"),
        )


@object_rule("DC-REL-011", "What an autoscaler measures is requested", kinds=("HorizontalPodAutoscaler",))
def autoscaler_metrics(obj: Obj, index: Index) -> Findings:
    """There must be a metric, and each resource that is measured by `averageUtilization` must be requested
    by every container.

    Why: utilization is a percentage of the request. Without one the autoscaler reports an error and never
    scales.

    Fix: set `resources.requests` of every container of the target.

    Sources: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
    """
    metrics = maps(dig(obj.body, "spec", "metrics"))
    if not metrics:
        yield Finding("it measures nothing", "give it a metric, like CPU at 60 %")
    target = mapping(dig(obj.body, "spec", "scaleTargetRef"))
    pod = index.pod_by_owner.get((text(target.get("kind")), obj.namespace, text(target.get("name"))))
    if pod is None:
        return
    for resource, only in _measured(metrics):
        for container in pod.containers:
            counted = not container.init and only in ("", container.name)
            if counted and not dig(container.body, "resources", "requests", resource):
                yield Finding(
                    f"it measures {resource}, which container {container.name} does not request",
                    f"set `resources.requests.{resource}`",
                )


def _measured(metrics: list[Body]) -> Iterator[tuple[str, str]]:
    """(resource, container or "" for all) of each metric that is a share of the request."""
    for metric in metrics:
        for key in ("resource", "containerResource"):
            source = mapping(metric.get(key))
            if dig(source, "target", "type") == "Utilization":
                yield text(source.get("name")), text(source.get("container"))


@pod_rule("DC-REL-012", "Every workload has a PodDisruptionBudget", kinds=SCALED)
def budget_missing(pod: Pod, _index: Index) -> Findings:
    """A PodDisruptionBudget must select the pods of every Deployment and StatefulSet, and only one may.

    Why: a node upgrade drains nodes; without a budget it may take all pods of an app at once. Two budgets
    for one pod make every eviction fail.

    Fix: a PodDisruptionBudget with `maxUnavailable: 1` and the Deployment's labels.

    Sources: polaris missingPodDisruptionBudget;
    https://kubernetes.io/docs/tasks/run-application/configure-pdb/
    """
    if not pod.budgets:
        yield Finding("no PodDisruptionBudget selects its pods", "add one with `maxUnavailable: 1`")
    elif len(pod.budgets) > 1:
        names = ", ".join(budget.name for budget in pod.budgets)
        yield Finding(f"several PodDisruptionBudgets select its pods: {names}", "keep one")


@pod_rule("DC-REL-013", "A PodDisruptionBudget lets one pod go, and not all", kinds=SCALED)
def budget_arithmetic(pod: Pod, index: Index) -> Findings:
    """With as few pods as the autoscaler allows, the budget must permit at least one disruption, and never
    all of several.

    Why: at zero no node can be drained, and an upgrade hangs; at all of them the budget protects nothing.

    Fix: `maxUnavailable: 1`, or a `minAvailable` below the minimum of replicas.

    Sources: kube-linter pdb-min-available, pdb-max-unavailable; polaris
    pdbMinAvailableGreaterThanHPAMinReplicas.
    """
    replicas = index.fewest(pod.obj)
    for budget in pod.budgets:
        allowed = _disruptions(mapping(budget.body.get("spec")), replicas)
        if allowed is None:
            continue
        where = index.config_place(pod.obj.app, "replicas", "min")
        if allowed < 1:
            yield Finding(
                f"PodDisruptionBudget {budget.name} lets none of {replicas} go: nodes cannot be drained",
                "write `maxUnavailable: 1` in the budget, or raise the minimum of replicas",
                where=where,
            )
        elif allowed >= replicas > 1:
            yield Finding(
                f"PodDisruptionBudget {budget.name} lets all {replicas} replicas go at once",
                "write `maxUnavailable: 1`",
            )


def _disruptions(spec: Body, replicas: int) -> int | None:
    """How many pods may be evicted of `replicas`; None if the budget does not say."""
    kept = share(spec.get("minAvailable"), replicas)
    if kept is not None:
        return replicas - kept
    return share(spec.get("maxUnavailable"), replicas)


@object_rule("DC-REL-014", "Budgets do not protect pods that are broken", kinds=("PodDisruptionBudget",))
def unhealthy_eviction(obj: Obj, _index: Index) -> Findings:
    """`spec.unhealthyPodEvictionPolicy` must be `AlwaysAllow`.

    Why: by default pods that never get ready count as protected, so a broken release stops every node
    upgrade.

    Fix: `unhealthyPodEvictionPolicy: AlwaysAllow`.

    Sources: kube-linter pdb-unhealthy-pod-eviction-policy;
    https://kubernetes.io/docs/tasks/run-application/configure-pdb/
    """
    if dig(obj.body, "spec", "unhealthyPodEvictionPolicy") != "AlwaysAllow":
        yield Finding(
            "pods that never get ready would stop node upgrades",
            "write `unhealthyPodEvictionPolicy: AlwaysAllow`",
        )


@pod_rule("DC-REL-015", "Replicas are spread over zones and nodes", kinds=SCALED)
def spread(pod: Pod, index: Index) -> Findings:
    """What may have several replicas must have a topology spread constraint over
    `topology.kubernetes.io/zone`, and one over `kubernetes.io/hostname` or pod anti-affinity there; their
    selectors must select the pod itself.

    Why: the scheduler may otherwise put all replicas on one node, whose loss is then the loss of the shop.

    Fix: `topologySpreadConstraints` with the Deployment's own labels.

    Sources: polaris topologySpreadConstraint; kube-linter no-anti-affinity.
    """
    if not _is_replicated(pod, index):
        return
    terms = list(_spreading(pod.spec))
    for key, selector in terms:
        if not selects(selector, pod.labels):
            yield Finding(
                f"the rule that spreads it over {key} does not select the pod itself", "use the pod's labels"
            )
    keys = {key for key, _ in terms}
    for key, what in ((ZONE, "zones"), (NODE, "nodes")):
        if key not in keys:
            yield Finding(
                f"its replicas are not spread over {what}",
                f"add a topologySpreadConstraint with topologyKey {key}",
            )


def _spreading(spec: Body) -> Iterator[tuple[str, Any]]:
    """(topology key, label selector) of everything that keeps pods apart."""
    for constraint in maps(spec.get("topologySpreadConstraints")):
        yield text(constraint.get("topologyKey")), constraint.get("labelSelector")
    anti = mapping(dig(spec, "affinity", "podAntiAffinity"))
    for term in maps(anti.get("requiredDuringSchedulingIgnoredDuringExecution")):
        yield text(term.get("topologyKey")), term.get("labelSelector")
    for weighted in maps(anti.get("preferredDuringSchedulingIgnoredDuringExecution")):
        term = mapping(weighted.get("podAffinityTerm"))
        yield text(term.get("topologyKey")), term.get("labelSelector")


@object_rule(
    "DC-REL-016", "Updates never take a pod away before its successor is ready", kinds=("Deployment",)
)
def rolling_update(obj: Obj, _index: Index) -> Findings:
    """`strategy` must be RollingUpdate with `maxUnavailable: 0`, and `maxSurge` of at least 1.

    Why: the default takes a quarter of the pods away first. During a sale that is a quarter of the shop.

    Fix: `strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}`.

    Sources: kube-linter no-rolling-update-strategy.
    """
    strategy = mapping(dig(obj.body, "spec", "strategy"))
    rolling = mapping(strategy.get("rollingUpdate"))
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        yield Finding(
            f"its strategy is {strategy['type']}: nothing runs in between", "write `type: RollingUpdate`"
        )
    elif rolling.get("maxUnavailable") not in (0, "0%"):
        yield Finding(
            "an update takes pods away before new ones are ready",
            "write `maxUnavailable: 0` and `maxSurge: 1`",
        )
    elif rolling.get("maxSurge") in (0, "0%"):
        yield Finding(
            "maxUnavailable and maxSurge are both 0: an update can never begin", "write `maxSurge: 1`"
        )


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


@object_rule("DC-REL-020", "A workload's selector selects its own pods", kinds=LONG_RUNNING)
def own_selector(obj: Obj, index: Index) -> Findings:
    """`spec.selector` of a Deployment, StatefulSet or DaemonSet must select its own pod template's labels.

    Why: the API server refuses it, at sync time.

    Fix: use the same labels in both places.

    Sources: kube-linter mismatching-selector.
    """
    pod = index.pod_by_owner.get((obj.kind, obj.namespace, obj.name))
    selector: Any = dig(obj.body, "spec", "selector")
    if pod is not None and not (selector and selects(selector, string_map(pod.labels))):
        yield Finding("its selector does not select its own pods", "use the labels of the pod template")
