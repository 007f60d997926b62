"""What all pods request at full load: those rendered here, those of charts, those of the cluster itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.check.quantity import mebibytes, millicores
from generator.check.shape import dig, mapping, share, whole
from generator.config.edge import SHUTDOWN_MANAGER
from generator.facts.addons import Addon, addons_of
from generator.facts.workloads import ChartWorkload, workloads_of

if TYPE_CHECKING:
    from generator.check.index import Index
    from generator.check.view import Pod
    from generator.render.model import Body, Obj

DEFAULT_SURGE = "25%"


@dataclass(frozen=True, slots=True)
class Requests:
    """Of one pod: thousandths of a core, and MiB."""

    millicores: int = 0
    memory_mib: int = 0

    def __add__(self, other: Requests) -> Requests:
        return Requests(self.millicores + other.millicores, self.memory_mib + other.memory_mib)


@dataclass(frozen=True, slots=True)
class Load:
    """Pods alike: `pods` at full load, `surge` more while a release of them rolls out, each with `requests`.

    `obj` is the object that they come from, None for those of a chart or of the cluster itself.
    """

    name: str
    pods: int
    requests: Requests
    surge: int = 0
    app: str = ""
    obj: Obj | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """`loads` are scheduled anywhere, each of `agents` once on every node."""

    loads: tuple[Load, ...]
    agents: tuple[Load, ...]

    @property
    def on_each_node(self) -> Requests:
        """What the agents request of a node."""
        return sum((agent.requests for agent in self.agents), Requests())


def demand(index: Index) -> Demand:
    """The demand of an environment."""
    loads: list[Load] = []
    agents: list[Load] = []
    for daemon, load in _all(index):
        (agents if daemon else loads).append(load)
    return Demand(tuple(load for load in loads if load.pods), tuple(agents))


def _all(index: Index) -> Iterator[tuple[bool, Load]]:
    """(whether it runs once on every node, load) of everything."""
    for pod in index.pods:
        yield pod.obj.kind == "DaemonSet", _rendered(pod, index)
    for proxy in index.of("EnvoyProxy"):
        yield False, _proxies(proxy)
    for app in index.apps.values():
        values = index.rendered.values.get(app.name, {})
        for workload in workloads_of(app.chart or ""):
            requests = [dig(values, *path.split("."), "requests") for path in workload.containers]
            if workload.kind != "Job" and any(requests):
                yield workload.kind == "DaemonSet", _of_chart(workload, values, requests, app.name)
    for addon in addons_of(index.environment.cluster.kind):
        yield addon.kind == "DaemonSet", _of_cluster(addon)


def _rendered(pod: Pod, index: Index) -> Load:
    spec = mapping(pod.obj.body.get("spec"))
    pods, surge = 1, 0
    if pod.obj.kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        pods = index.most(pod.obj)
    elif pod.obj.kind in ("Job", "CronJob"):
        job = mapping(dig(spec, "jobTemplate", "spec")) or spec
        pods = whole(job.get("parallelism"), 1)
    if pod.obj.kind == "Deployment":
        surge = _surge(spec.get("strategy"), pods)
    return Load(pod.obj.name, pods, _of_pod(pod), surge, pod.obj.app, pod.obj)


def _of_pod(pod: Pod) -> Requests:
    """Its containers together, or the biggest init container if that is more: they run one by one, before."""
    running, first = Requests(), Requests()
    for container in pod.containers:
        each = _requests(dig(container.body, "resources", "requests"))
        if not container.init or container.body.get("restartPolicy") == "Always":
            running += each
        else:
            first = Requests(max(first.millicores, each.millicores), max(first.memory_mib, each.memory_mib))
    return Requests(max(running.millicores, first.millicores), max(running.memory_mib, first.memory_mib))


def _proxies(proxy: Obj) -> Load:
    kubernetes = mapping(dig(proxy.body, "spec", "provider", "kubernetes"))
    deployment = mapping(kubernetes.get("envoyDeployment"))
    fixed = whole(deployment.get("replicas"), 1)
    pods = whole(dig(kubernetes, "envoyHpa", "maxReplicas"), fixed)
    own = _requests(dig(deployment, "container", "resources", "requests"))
    sidecar = _requests(SHUTDOWN_MANAGER.kubernetes["requests"])
    return Load("envoy", pods, own + sidecar, _surge(deployment.get("strategy"), pods), proxy.app, proxy)


def _of_chart(workload: ChartWorkload, values: Body, requests: list[Any], app: str) -> Load:
    path = (workload.replicas or "").split(".")
    pods = whole(dig(values, *path), 1) if workload.count is None else workload.count
    return Load(workload.name, pods, sum(map(_requests, requests), Requests()), app=app)


def _of_cluster(addon: Addon) -> Load:
    each = Requests(addon.containers * addon.millicores, addon.containers * addon.memory_mib)
    return Load(addon.name, addon.replicas or 1, each)


def _requests(said: Any) -> Requests:
    return Requests(millicores(dig(said, "cpu")), mebibytes(dig(said, "memory")))


def _surge(strategy: Any, pods: int) -> int:
    """Pods beyond the replicas during a rollout, as a Deployment's strategy says."""
    if dig(strategy, "type") == "Recreate":
        return 0
    said = dig(strategy, "rollingUpdate", "maxSurge")
    return share(DEFAULT_SURGE if said is None else said, pods) or 0


def uncounted(values: Body, chart: str) -> Iterator[str]:
    """Dotted paths of `resources` in a chart's values whose requests belong to no workload of the facts."""
    counted = {path for workload in workloads_of(chart) for path in workload.containers}
    return (path for path in _resources(values, "") if path not in counted)


def _resources(value: Any, path: str) -> Iterator[str]:
    """Paths to maps that hold requests of CPU or memory."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _resources(item, f"{path}[{position}]")
    for key, item in mapping(value).items():
        if key == "requests" and mapping(item).keys() & {"cpu", "memory"}:
            yield path
        else:
            yield from _resources(item, f"{path}.{key}" if path else str(key))
