"""Replicas: how many, who decides, how they are spread, replaced and disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.check.index import LONG_RUNNING, SCALED, Index
from generator.check.rule import Finding, Findings, object_rule, pod_rule
from generator.check.selector import selects
from generator.check.shape import dig, mapping, maps, share, string_map, text, whole
from generator.check.view import Pod
from generator.render.model import Body, Obj

FEWEST_CRITICAL = 3
ZONE = "topology.kubernetes.io/zone"
NODE = "kubernetes.io/hostname"


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


def _is_replicated(pod: Pod, index: Index) -> bool:
    return pod.obj.kind in SCALED and index.most(pod.obj) > 1


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
