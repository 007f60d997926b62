"""Copies of the shop's workloads under a load that comes and goes, beside the tests that fill its cluster.

Metrics come every 12 seconds and scaling takes its time, so this runs in a thread of its own, in a namespace
of its own, on nodes of its own. The copies have the specs of the Deployments and autoscalers. Only scaling
down is faster than declared, FASTER times: its window would last five minutes, and each pod a minute.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cluster.admission_plane import quantity
from cluster.api import Object
from cluster.behaviour_platform import STAGE
from cluster.behaviour_watch import DEPLOYMENTS, PODS, Watch
from cluster.behaviour_world import AUTOSCALERS, World
from cluster.nodes import NODES, node

FASTER = 30
SYNC = 2.0  # seconds: autoscaling looks every second (programs.py), and this thread may hear of it one later
OVERLOAD = 1.15  # times what the most pods take at the target
IDLE = 0.05  # cores of all pods of a workload together: no load to be seen
METRICS = 75.0  # seconds to wait for what depends on metrics
USAGE = "kwok.x-k8s.io/usage-cpu"
UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3}

History = list[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one workload: (time, replicas) of each change, first while loaded, then when not.

    `idle` is when the metrics first showed no load. `autoscaler` is its spec as it was in force.
    """

    name: str
    autoscaler: Object
    up: History
    down: History
    idle: float


class Rehearsal:
    """Starts with `begin`; `courses` waits for the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._api = world.bed.api
        self._pool = ThreadPoolExecutor(1, "rehearsal")
        self._ended = threading.Event()
        self._result: Future[list[Course]] | None = None

    def begin(self) -> None:
        """Make nodes and copies, and let the load come."""
        for zone in self._world.bed.environment.zones:
            self._api.create(NODES, _stage_node(self._world, zone))
        self._api.create("v1/namespaces", {"metadata": {"name": STAGE}})
        for deployment in self._api.list(DEPLOYMENTS, "shop"):
            self._api.create(DEPLOYMENTS, _copy_of_deployment(deployment), STAGE)
        for autoscaler in self._api.list(AUTOSCALERS, "shop"):
            self._api.create(AUTOSCALERS, _copy_of_autoscaler(autoscaler), STAGE)
        self._result = self._pool.submit(self._run)

    def courses(self) -> list[Course]:
        """What became of each workload; AssertionError if it did not get to where it should."""
        assert self._result is not None, "`begin` comes first"
        return self._result.result()

    def end(self) -> None:
        """Break off, if it is not over, and wait for the thread."""
        self._ended.set()
        self._pool.shutdown(wait=True)

    def _run(self) -> list[Course]:
        try:
            return self._follow()
        finally:
            self._api.close()

    def _follow(self) -> list[Course]:
        specs = {body["metadata"]["name"]: body["spec"] for body in self._autoscalers()}
        floors = {name: spec["minReplicas"] for name, spec in specs.items()}
        most = {name: spec["maxReplicas"] for name, spec in specs.items()}
        self._wait(lambda: self._measured(floors))
        with Watch(self._world.bed, DEPLOYMENTS) as watch:
            self._load(specs)
            self._wait(lambda: self._replicas() == most)
            turned = time.monotonic()
            self._unload()
            self._wait(lambda: max(self._usage().values()) < IDLE)
            idle = time.monotonic()
            self._wait(lambda: self._replicas() == floors)
        return [
            Course(
                name,
                spec,
                [(at, count) for at, count in history if at <= turned],
                [(turned, most[name]), *((at, count) for at, count in history if at > turned)],
                idle,
            )
            for name, spec in specs.items()
            for history in [list(_changes(watch, name))]
        ]

    def _wait(self, ready: Callable[[], bool]) -> None:
        self._world.bed.wait_until(lambda: self._ended.is_set() or ready(), self._words, METRICS)
        if self._ended.is_set():
            raise InterruptedError("the rehearsal was broken off")

    # -- load

    def _load(self, specs: dict[str, Object]) -> None:
        """The pods that are there take it all, and new ones nothing: an average sees no difference."""
        for name, spec in specs.items():
            deployment = self._api.get(DEPLOYMENTS, name, STAGE)
            [container] = deployment["spec"]["template"]["spec"]["containers"]
            request = float(quantity(container["resources"]["requests"]["cpu"]))
            total = spec["maxReplicas"] * request * _cpu_target(spec) / 100 * OVERLOAD
            pods = self._pods(name)
            for pod in pods:
                self._use(pod, f"{math.ceil(1000 * total / len(pods))}m")

    def _unload(self) -> None:
        for pod in self._api.list(PODS, STAGE):
            self._use(pod, None)

    def _use(self, pod: Object, cpu: str | None) -> None:
        self._api.patch(PODS, pod["metadata"]["name"], {"metadata": {"annotations": {USAGE: cpu}}}, STAGE)

    # -- looking

    def _autoscalers(self) -> list[Object]:
        return self._api.list(AUTOSCALERS, STAGE)

    def _pods(self, name: str) -> list[Object]:
        return self._api.list(PODS, STAGE, labels=f"app.kubernetes.io/name={name}")

    def _replicas(self) -> dict[str, int]:
        return {body["metadata"]["name"]: body["spec"]["replicas"] for body in self._deployments()}

    def _deployments(self) -> list[Object]:
        return self._api.list(DEPLOYMENTS, STAGE)

    def _measured(self, floors: dict[str, int]) -> bool:
        """All at their floor and ready, with metrics of every pod."""
        ready = {
            body["metadata"]["name"]: body["status"].get("readyReplicas") for body in self._deployments()
        }
        if ready != floors or set(self._usage()) != set(floors):
            return False
        conditions = [
            each for body in self._autoscalers() for each in body.get("status", {}).get("conditions", [])
        ]
        active = [each["status"] for each in conditions if each["type"] == "ScalingActive"]
        return active == ["True"] * len(floors)

    def _usage(self) -> dict[str, float]:
        """Workload → cores that all of its pods use, as autoscaling sees it."""
        _, content = self._api.raw("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/{STAGE}/pods")
        total: dict[str, float] = {}
        for pod in json.loads(content).get("items", []):
            name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
            total[name] = total.get(name, 0) + sum(_cores(each["usage"]["cpu"]) for each in pod["containers"])
        return total

    def _words(self) -> str:
        said = [
            f"{condition['type']} {condition['status']}: {condition['message']}"
            for body in self._autoscalers()
            for condition in body.get("status", {}).get("conditions", [])
        ]
        return (
            f"copies of the shop follow the load: replicas {self._replicas()}, cores {self._usage()}; {said}"
        )


# -- rules


def beyond(rules: Object, history: History) -> list[str]:
    """Steps of a history that autoscaling's rules (`behavior.scaleUp` or `scaleDown`) do not allow.

    In each policy's period (a fifth off, as changes are heard of a little late) replicas may change by so
    much of what they were at its start; `selectPolicy` says whether the most or the least change counts.
    """
    wrong = []
    for (_, before), (at, after) in itertools.pairwise(history):
        up = after > before
        limits = [_limit(policy, _at(history, at - 0.8 * policy["periodSeconds"]), up=up)
                  for policy in rules["policies"]]  # fmt: skip
        furthest = (rules["selectPolicy"] == "Max") == up
        limit = max(limits) if furthest else min(limits)
        if after > limit if up else after < limit:
            wrong.append(f"{before} → {after} at {at - history[0][0]:.1f} s, where {limit} is the limit")
    return wrong


def _limit(policy: Object, start: int, *, up: bool) -> int:
    value: int = policy["value"]
    if policy["type"] == "Pods":
        return start + value if up else start - value
    return math.ceil(start * (100 + value) / 100) if up else math.floor(start * (100 - value) / 100)


def _at(history: History, moment: float) -> int:
    """Replicas at a moment."""
    earlier = [count for at, count in history if at <= moment]
    return earlier[-1] if earlier else history[0][1]


# -- copies


def _stage_node(world: World, zone: str) -> Object:
    """A big node that takes nobody else's pods."""
    environment = world.bed.environment
    made = node(f"{STAGE}-{zone[-1]}", environment.nodes[-1], zone, environment)
    # A region of its own: a zone where some node still answers is not evicted as a lost one is.
    made["metadata"]["labels"] |= {"bed/role": STAGE, "topology.kubernetes.io/region": STAGE}
    made["spec"]["taints"] = [{"key": "bed/role", "value": STAGE, "effect": "NoSchedule"}]
    room = {"cpu": "32", "memory": "64Gi", "pods": "100"}
    return made | {"status": made["status"] | {"allocatable": room, "capacity": room}}


def _copy_of_deployment(deployment: Object) -> Object:
    made = _copied(deployment)
    made["spec"].pop("replicas", None)
    pod = made["spec"]["template"]["spec"]
    for own in ("serviceAccountName", "serviceAccount"):
        pod.pop(own, None)
    pod["nodeSelector"] = {"bed/role": STAGE}
    pod["tolerations"] = [{"key": "bed/role", "operator": "Exists"}]
    return made


def _copy_of_autoscaler(autoscaler: Object) -> Object:
    made = _copied(autoscaler)
    rules = made["spec"]["behavior"]["scaleDown"]
    rules["stabilizationWindowSeconds"] //= FASTER
    for policy in rules["policies"]:
        policy["periodSeconds"] = max(1, policy["periodSeconds"] // FASTER)
    return made


def _copied(body: Object) -> Object:
    return {"metadata": {"name": body["metadata"]["name"]}, "spec": copy.deepcopy(body["spec"])}


def _changes(watch: Watch, name: str) -> Iterator[tuple[float, int]]:
    """(time, replicas) whenever it is not what it was, from the start of the watch on."""
    before = None
    for event in watch.events:
        metadata = event.body["metadata"]
        replicas = event.body["spec"].get("replicas")
        if (metadata["namespace"], metadata["name"]) == (STAGE, name) and replicas != before:
            before = replicas
            yield event.at, replicas


def _cpu_target(autoscaler: Object) -> int:
    metrics: Iterable[Any] = autoscaler["metrics"]
    [found] = [each["resource"] for each in metrics if each["resource"]["name"] == "cpu"]
    target: int = found["target"]["averageUtilization"]
    return target


def _cores(text: str) -> float:
    return float(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else float(text)
