"""What charts and the cluster's maker run, as stand-ins that take the same room.

Charts are not rendered here. So that nodes fill as they would, each of their workloads is played by pods
with the replicas, requests, priority, spread, volumes and disruption budget that its file in
`clusters/<env>/values` gives it: PARTS has the path of every number, those of replicas and requests as
`dhakacart facts workloads` has them. `unread` names requests in those files that no part takes.

What is not in the values comes from the charts: Loki's hard anti-affinity between nodes, the parallel start
of StatefulSets, the config reloaders that the Prometheus operator adds. Init containers and hook Jobs are
left out: they are gone when the cluster is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from cluster.api import Object
from cluster.edge_infra import SECURITY
from cluster.environment import EKS_ADDONS, facts

HOSTNAME = "kubernetes.io/hostname"
STAGE = "stage"
"""`bed/role` of nodes that a test keeps to itself: no DaemonSet goes there, they count towards nothing."""

STOP = "2s"
"""How long a StatefulSet's pod takes to end; none is quicker. A budget knows the evicted by name, and one of
the same name that is there again before its controller looked counts as evicted for two minutes."""

Kind = Literal["Deployment", "StatefulSet", "DaemonSet"]


@dataclass(frozen=True, slots=True)
class Part:
    """A workload of a chart. Everything but name, namespace, chart and kind is a dotted path into its values.

    `containers` lead to `resources` (one path a container), `replicas` to a number or is one, `spread` to
    `topologySpreadConstraints`, `budget` to the switch of a PodDisruptionBudget, `anti_affinity` to the hard
    or soft of the Prometheus operator (its key is beside it), `volume` to a claim's spec or Loki's words.
    """

    name: str
    namespace: str
    chart: str
    containers: tuple[str, ...]
    priority: str
    replicas: str | int = 1
    kind: Kind = "Deployment"
    spread: str = ""
    budget: str = ""
    volume: str = ""
    anti_affinity: str = ""
    apart: bool = False  # never two on a node: the chart's default


SPEC = "prometheus.prometheusSpec"
ALERTS = "alertmanager.alertmanagerSpec"
GLOBAL = "global.priorityClassName"
TSC = "topologySpreadConstraints"

FILES = {"gateway-helm": "envoy-gateway", "prometheus-postgres-exporter": "postgres-exporter"}
"""Chart → file of its values, where that is not called like the chart."""

MORE: dict[str, dict[str, Any]] = {
    "alloy": {"priority": "controller.priorityClassName"},
    "node-exporter": {"priority": "prometheus-node-exporter.priorityClassName"},
    "argocd-application-controller": {"priority": GLOBAL},
    "argocd-server": {"priority": GLOBAL, "spread": f"server.{TSC}", "budget": "server.pdb"},
    "argocd-repo-server": {"priority": GLOBAL, "spread": f"repoServer.{TSC}", "budget": "repoServer.pdb"},
    "argocd-redis": {"priority": GLOBAL},
    "argocd-notifications": {"priority": GLOBAL},
    "cert-manager": {"priority": GLOBAL, "spread": TSC, "budget": "podDisruptionBudget"},
    "cert-manager-webhook": {
        "priority": GLOBAL, "spread": f"webhook.{TSC}", "budget": "webhook.podDisruptionBudget"},
    "cert-manager-cainjector": {
        "priority": GLOBAL, "spread": f"cainjector.{TSC}", "budget": "cainjector.podDisruptionBudget"},
    "external-secrets": {"priority": "priorityClassName", "spread": TSC, "budget": "podDisruptionBudget"},
    "external-secrets-webhook": {
        "priority": "webhook.priorityClassName", "spread": f"webhook.{TSC}",
        "budget": "webhook.podDisruptionBudget"},
    "external-secrets-cert-controller": {"priority": "certController.priorityClassName"},
    "envoy-gateway": {
        "priority": "deployment.priorityClassName", "spread": f"deployment.pod.{TSC}",
        "budget": "podDisruptionBudget"},
    "metrics-server": {"priority": "priorityClassName", "spread": TSC, "budget": "podDisruptionBudget"},
    "cluster-autoscaler": {"priority": "priorityClassName", "spread": TSC, "budget": "podDisruptionBudget"},
    "prometheus-operator": {"priority": "prometheusOperator.priorityClassName"},
    "prometheus": {
        "priority": f"{SPEC}.priorityClassName", "budget": "prometheus.podDisruptionBudget",
        "volume": f"{SPEC}.storageSpec.volumeClaimTemplate.spec", "anti_affinity": f"{SPEC}.podAntiAffinity"},
    "alertmanager": {
        "priority": f"{ALERTS}.priorityClassName", "budget": "alertmanager.podDisruptionBudget",
        "volume": f"{ALERTS}.storage.volumeClaimTemplate.spec", "anti_affinity": f"{ALERTS}.podAntiAffinity"},
    "grafana": {"priority": "grafana.priorityClassName"},
    "kube-state-metrics": {"priority": "kube-state-metrics.priorityClassName"},
    "loki": {
        "priority": "singleBinary.priorityClassName", "spread": f"singleBinary.{TSC}",
        "budget": "singleBinary.podDisruptionBudget", "volume": "singleBinary.persistence", "apart": True},
    "postgres-exporter": {"priority": "priorityClassName"},
}  # fmt: skip
"""Workload → what a stand-in needs besides replicas and requests, whose paths `dhakacart facts` has."""


def _parts() -> tuple[tuple[Part, ...], frozenset[tuple[str, str]]]:
    """Every workload of a chart; and the requests of hook Jobs, which end before what they are for starts."""
    parts, jobs = [], set()
    for row in facts("workloads"):
        chart, paths = FILES.get(row["chart"], row["chart"]), tuple(row["containers"].split())
        if row["kind"] == "Job":
            jobs |= {(chart, path) for path in paths}
            continue
        replicas = int(row["replicas"]) if row["replicas"].isdigit() else row["replicas"] or 1
        known = {"containers": paths, "replicas": replicas, "kind": row["kind"], **MORE[row["name"]]}
        parts.append(Part(row["name"], row["namespace"], chart, **known))
    return tuple(parts), frozenset(jobs)


PARTS, JOBS = _parts()


def stand_ins(root: Path, environment: str) -> list[Object]:
    """Every workload of the environment's charts, with its budget."""
    return [made for part in PARTS if (values := _values(root, environment, part.chart))
            for made in _objects(part, values)]  # fmt: skip


def unread(root: Path, environment: str) -> list[str]:
    """`chart: path` of every `resources` with requests in the values that no part takes up."""
    taken = {(part.chart, path) for part in PARTS for path in part.containers} | JOBS
    return [
        f"{chart}: {path}"
        for chart in charts(root, environment)
        for path in _paths_to_requests(_values(root, environment, chart) or {})
        if (chart, path) not in taken
    ]


def charts(root: Path, environment: str) -> list[str]:
    """The charts that an environment has values for."""
    return sorted(file.stem for file in _folder(root, environment).glob("*.yaml"))


# -- what Amazon and K3s bring along, beside what a test bed already has on each node


def addons(eks: bool) -> list[Object]:
    """In kube-system, outside of the platform's charts: what `dhakacart facts addons` has, but for what
    requests nothing.
    """
    kind = "eks" if eks else "k3s"
    made = [
        _addon(row["name"], row["replicas"], [_sizes(row)] * row["containers"])
        for row in facts("addons")
        if row["cluster"] == kind and row["kind"] == "Deployment" and row["millicores"]
    ]
    if not eks:
        return made
    return [*made, *(_budget(one, {"maxUnavailable": 1}) for one in made), _node_addon()]


def _sizes(row: Object) -> dict[str, str]:
    return {"cpu": f"{row['millicores']}m", "memory": f"{row['memory_mib']}Mi"}


def _addon(name: str, replicas: int, requests: list[Mapping[str, str]]) -> Object:
    template = _template({"k8s-app": name}, "system-cluster-critical", requests)
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"k8s-app": name}}}
    template["spec"]["affinity"] = _anti_affinity(term, hard=False)
    return _workload("Deployment", name, "kube-system", template, replicas)


def _node_addon() -> Object:
    template = _template({"k8s-app": "eks-node"}, "system-node-critical", [EKS_ADDONS])
    template["spec"] |= _on_every_node()
    return _workload("DaemonSet", "eks-node", "kube-system", template, 0)


# -- from values to objects


def _objects(part: Part, values: Object) -> Iterator[Object]:
    spread = _find(values, part.spread) if part.spread else None
    labels = (
        dict(spread[0]["labelSelector"]["matchLabels"]) if spread else {"app.kubernetes.io/name": part.name}
    )
    requests = [_find(values, path)["requests"] for path in part.containers]
    template = _template(labels, _find(values, part.priority), requests)
    pod = template["spec"]
    if spread:
        pod["topologySpreadConstraints"] = spread
    if part.kind == "DaemonSet":
        pod |= _on_every_node()
    if part.apart:
        pod["affinity"] = _anti_affinity(
            {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": labels}}, hard=True
        )
    if part.anti_affinity:
        key = _find(values, f"{part.anti_affinity}TopologyKey")
        term = {"topologyKey": key, "labelSelector": {"matchLabels": labels}}
        pod["affinity"] = _anti_affinity(term, hard=_find(values, part.anti_affinity) == "hard")
    replicas = part.replicas if isinstance(part.replicas, int) else _find(values, part.replicas)
    workload = _workload(part.kind, part.name, part.namespace, template, replicas)
    if part.volume:
        claim = _claim(_find(values, part.volume))
        workload["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    yield workload
    if part.budget and (allowed := _allowed(_find(values, part.budget))):
        yield _budget(workload, allowed)


def _workload(kind: Kind, name: str, namespace: str, template: Object, replicas: int) -> Object:
    spec: Object = {"selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec |= {"podManagementPolicy": "Parallel", "serviceName": name}
        template["metadata"]["annotations"] = {"bed/stop-after": STOP}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _template(labels: dict[str, str], priority: str, requests: list[Mapping[str, str]]) -> Object:
    containers = [
        {
            "name": f"part-{number}",
            "image": "docker.io/bed/stand-in:1",
            "resources": {"requests": dict(each), "limits": {"memory": each["memory"]}},
            "securityContext": SECURITY,
        }
        for number, each in enumerate(requests)
    ]
    spec = {
        "priorityClassName": priority,
        "automountServiceAccountToken": False,
        "containers": containers,
    }
    return {"metadata": {"labels": labels}, "spec": spec}


def _on_every_node() -> Object:
    """Everywhere, whatever the taint, as the values of both agents say; but not on a test's own nodes."""
    apart = {"key": "bed/role", "operator": "NotIn", "values": [STAGE]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [apart]}]}
    return {
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
    }


def _anti_affinity(term: Object, *, hard: bool) -> Object:
    if hard:
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    preferred = {"weight": 100, "podAffinityTerm": term}
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}}


def _claim(said: Object) -> Object:
    """A claim's spec, as it is or in Loki's words."""
    if "accessModes" in said:
        return said
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": said["storageClass"],
        "resources": {"requests": {"storage": said["size"]}},
    }


def _allowed(switch: Object) -> Object:
    """What a budget allows, empty where the chart renders none: off, or nothing (0) asked for."""
    words = ("minAvailable", "maxUnavailable")
    return {word: switch[word] for word in words if switch.get("enabled", True) and switch.get(word)}


def _budget(workload: Object, allowed: Object) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": workload["metadata"],
        "spec": {"selector": workload["spec"]["selector"], **allowed},
    }


# -- reading


def _find(values: Object, path: str) -> Any:
    """What is at a dotted path; the message names the path where it is not there."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            raise LookupError(f"the values have no {path}: a stand-in is made of it")
        found = found[key]
    return found


def _paths_to_requests(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        if "requests" in node and not path.endswith("volumeClaimTemplate.spec.resources"):
            yield path
        for key, value in node.items():
            yield from _paths_to_requests(value, f"{path}.{key}" if path else key)


def _folder(root: Path, environment: str) -> Path:
    return root / "clusters" / environment / "values"


@cache
def _values(root: Path, environment: str, chart: str) -> Object | None:
    """The values of a chart, None where the environment does not have it."""
    file = _folder(root, environment) / f"{chart}.yaml"
    return yaml.load(file.read_bytes(), yaml.CSafeLoader) if file.is_file() else None
