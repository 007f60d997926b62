"""An environment at work without Argo CD: its own manifests, the edge's proxies, stand-ins for its charts.

Custom resources are left out; nothing here acts on them. Volumes are made as the storage driver would, bound
to a zone (EBS) or to a node (K3s' local path). `grow` plays the cluster autoscaler, very simply: a node
more while a pod finds no room and the environment allows it.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cluster import behaviour_platform as platform
from cluster.admission_plane import as_list, objects, quantity
from cluster.api import ApiError, Object
from cluster.bed import Bed
from cluster.behaviour_watch import DEPLOYMENTS, PODS, serves
from cluster.edge_infra import deployment as proxies
from cluster.nodes import NODES, ZONE

AUTOSCALERS = "autoscaling/v2/horizontalpodautoscalers"
BUDGETS = "policy/v1/poddisruptionbudgets"
CLAIMS = "v1/persistentvolumeclaims"
DAEMONSETS = "apps/v1/daemonsets"
STATEFULSETS = "apps/v1/statefulsets"
VOLUMES = "v1/persistentvolumes"
ALL = (DEPLOYMENTS, STATEFULSETS, DAEMONSETS)
PLURALS = {
    "Deployment": DEPLOYMENTS,
    "StatefulSet": STATEFULSETS,
    "DaemonSet": DAEMONSETS,
    "PodDisruptionBudget": BUDGETS,
    "HorizontalPodAutoscaler": AUTOSCALERS,
}
BUILT_IN = (".k8s.io", "apps", "autoscaling", "batch", "policy", "v1")
FIRST = ("Namespace", "PriorityClass", "StorageClass", "ServiceAccount")
NO_NODE = "spec.nodeName="  # a pod that has one is no news, and there are many of them
NOT_STARTED = "spec.nodeName!=,status.phase=Pending"
PATIENCE = 2.0  # seconds that kwok may take to see a pod
REMINDED = "bed/reminded"
SELECTED = "volume.kubernetes.io/selected-node"
TOLD = 6  # things that are wrong, in a message
MIN_READY = 1  # seconds until a ready pod is available; time is scaled
LOCAL_PATH = "rancher.io/local-path"  # the provisioner that K3s brings along


@dataclass(frozen=True, slots=True)
class Scaled:
    """A workload under a HorizontalPodAutoscaler."""

    namespace: str
    name: str
    minimum: int
    maximum: int
    labels: Mapping[str, str]
    spread: tuple[Object, ...]

    @property
    def what(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass
class World:
    """What runs in a test bed, and what a test may ask of it or do to it."""

    bed: Bed
    lost: set[str] = field(default_factory=set)  # zones where no new node comes up
    _unseen: dict[str, float] = field(default_factory=dict)  # pod → when it was first found not begun

    # -- beginning

    def start(self) -> None:
        """Everything of the environment, settled at its floor on as few nodes as it needs."""
        tree = [body for body in objects(self.name) if _built_in(body)]
        tree.sort(key=lambda body: FIRST.index(body["kind"]) if body["kind"] in FIRST else len(FIRST))
        shop = [body for body in tree if body["kind"] in ("Deployment", "HorizontalPodAutoscaler", "Job")]
        self._apply(body for body in tree if body not in shop)
        if not self.bed.environment.eks:
            self._apply([_local_path()])
        eks = self.bed.environment.eks
        self.bed.nodes.make()
        self._create([*platform.stand_ins(self.bed.root, self.name), *platform.addons(eks)])
        self.settle("the platform runs")  # in an earlier wave than the shop, which would push it aside
        self._create(self._edge())
        self._apply(_quick(body) for body in shop)
        self.settle("everything of the environment runs")

    @property
    def name(self) -> str:
        """The environment's."""
        return self.bed.environment.name

    def _apply(self, bodies: Iterable[Object]) -> None:
        self.bed.kubectl("apply", "--server-side", "-f", "-", text=as_list(bodies))

    def _create(self, bodies: Iterable[Object]) -> None:
        for body in bodies:
            self.bed.api.create(PLURALS[body["kind"]], body, body["metadata"]["namespace"])

    def _edge(self) -> Iterator[Object]:
        """The proxies that Envoy Gateway makes, with their autoscaler and budget."""
        [gateway] = [body for body in objects(self.name) if body["kind"] == "Gateway"]
        [proxy] = [body for body in objects(self.name) if body["kind"] == "EnvoyProxy"]
        made = proxies(gateway, proxy)
        settings = proxy["spec"]["provider"]["kubernetes"]
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": made["metadata"]["name"]}
        budget = settings["envoyPDB"]
        autoscaler = {"scaleTargetRef": target, **settings["envoyHpa"]}
        disruption = {
            "maxUnavailable": budget["maxUnavailable"],
            "selector": made["spec"]["selector"],
            **budget["patch"]["value"]["spec"],
        }
        yield made
        for version, kind, spec in (
            ("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler),
            ("policy/v1", "PodDisruptionBudget", disruption),
        ):
            yield {"apiVersion": version, "kind": kind, "metadata": made["metadata"], "spec": spec}

    # -- looking

    def scaled(self) -> list[Scaled]:
        """The shop's workloads and the edge's proxies."""
        return [self._scaled(body) for body in self._autoscalers()]

    def pods(self, of: Scaled) -> list[Object]:
        """A workload's pods that are not asked to end."""
        selector = ",".join(f"{key}={value}" for key, value in of.labels.items())
        found = self.bed.api.list(PODS, of.namespace, labels=selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def serving(self, of: Scaled) -> int:
        """How many of a workload's pods take requests, those on silent nodes not counted."""
        ready = set(self.bed.nodes.ready())
        return sum(serves(pod) and pod["spec"].get("nodeName") in ready for pod in self.pods(of))

    def placed(self, of: Scaled) -> list[Object]:
        """A workload's pods that have a node."""
        return [pod for pod in self.pods(of) if pod["spec"].get("nodeName")]

    def zones(self, of: Scaled) -> dict[str, int]:
        """Zone → serving pods of a workload, for every zone of the environment."""
        zone_of = self._zone_of_node()
        count = dict.fromkeys(self.bed.environment.zones, 0)
        for pod in filter(serves, self.pods(of)):
            count[zone_of[pod["spec"]["nodeName"]]] += 1
        return count

    def homeless(self) -> list[Object]:
        """Pods for which the scheduler finds no place."""
        found = [pod for pod in self.bed.api.list(PODS, fields=NO_NODE) if _refusal(pod)]
        return [pod for pod in found if pod["metadata"]["namespace"] != platform.STAGE]

    def stranded(self) -> list[Object]:
        """Homeless pods whose volume is in a lost zone: they wait for it to come back, as they must."""
        if not self.lost:
            return []
        return [pod for pod in self.homeless() if self._zone_of_volumes(pod) in self.lost]

    def workers(self, zone: str = "") -> list[Object]:
        """The environment's own nodes, of a zone or of all."""
        found = self.bed.api.list(NODES, labels=f"bed/role!={platform.STAGE}")
        return [node for node in found if zone in ("", node["metadata"]["labels"][ZONE])]

    def unsettled(self, resources: Iterable[str] = ALL, apart_from: str = "") -> list[str]:
        """What is not yet as it is to be, in words; empty when all is.

        Of the workloads only these resources count, and none of the namespace `apart_from`. Pods that wait
        for their volume's zone do not count.
        """
        waiting = [
            f"{_what(pod)} has no place: {_refusal(pod)}"
            for pod in self._seekers()
            if pod["metadata"]["namespace"] != apart_from
        ]
        # Before what controllers make of it: else one of them may act in between, and nothing be noticed.
        below = [
            f"{name} is to have {least} pods and has {have}"
            for name, least in self._floors().items()
            if (have := self._replicas(name)) < least
        ]
        late = [
            why
            for resource in resources
            for body in self.bed.api.list(resource)
            if body["metadata"]["namespace"] not in (apart_from, platform.STAGE) and (why := _late(body))
        ]
        return waiting + below + late

    def describe(self) -> str:
        """What is not settled, and the nodes, for a failure's message."""
        nodes = ", ".join(f"{zone}: {len(names)}" for zone, names in self.bed.nodes.by_zone().items())
        wrong = self.unsettled()
        more = [f"and {len(wrong) - TOLD} more"] if len(wrong) > TOLD else []
        ready = set(self.bed.nodes.ready())
        idle = [_how(pod, ready) for pod in self.bed.api.list(PODS) if _is_idle(pod)]
        return "; ".join([*wrong[:TOLD], *more, f"nodes {nodes}", *idle])

    # -- doing

    def settle(
        self,
        what: str,
        timeout: float = 60,
        *,
        growing: bool = True,
        resources: Iterable[str] = ALL,
        apart_from: str = "",
    ) -> None:
        """Return when nothing is unsettled; volumes are made, and nodes added where `growing`, meanwhile."""
        self.wait(lambda: not self.unsettled(resources, apart_from), what, timeout, growing=growing)

    def wait(
        self, ready: Callable[[], bool], what: str, timeout: float = 60, *, growing: bool = True
    ) -> None:
        """As `Bed.wait_until`, while storage driver and, if `growing`, cluster autoscaler do their work."""
        waited: set[str] = set()

        def tended() -> bool:
            nonlocal waited
            self.provision()
            self.remind()
            if ready():
                return True
            seekers = {_what(pod): pod for pod in self._seekers()}
            if growing and (late := waited & seekers.keys()):
                self.grow([seekers[name] for name in sorted(late)])
                seekers.clear()
            waited = set(seekers)
            return False

        self.bed.wait_until(tended, lambda: f"{what}: {self.describe()}", timeout, poll=0.3)

    def grow(self, pods: Iterable[Object]) -> None:
        """Nodes for pods that find no room: as many as their CPU takes, none beyond the maximum.

        A node that is being drained does not count: whoever upgrades a node group may go that much beyond it.
        As if each zone had a node group of its own, for no other way lets an autoscaler choose the zone: that
        of a pod's volume, else that with fewest nodes.
        """
        if self._coming():
            return
        kind, zones = self.bed.environment.nodes[-1], self.bed.environment.zones
        have = Counter({zone: 0 for zone in zones if zone not in self.lost})
        taken = [node for node in self.workers() if not node["spec"].get("unschedulable")]
        have.update(node["metadata"]["labels"][ZONE] for node in taken if _is_of(node, kind.role))
        most = math.ceil(kind.maximum / len(zones))
        for zone in self._wanted(pods, kind.millicores):
            fit = [one for one in zones if one not in self.lost and zone in ("", one) and have[one] < most]
            if fit and have.total() < kind.maximum:
                chosen = min(fit, key=lambda one: have[one])
                have[chosen] += 1
                self.bed.nodes.add(kind, chosen)

    def _wanted(self, pods: Iterable[Object], millicores: int) -> Iterator[str]:
        """The zone, or none, of each node that these pods take."""
        cores: Counter[str] = Counter()
        for pod in pods:
            cores[self._zone_of_volumes(pod)] += _cpu(pod)
        for zone, wanted in cores.items():
            yield from [zone] * math.ceil(wanted / millicores)

    def remove(self, node: str) -> None:
        """A drained machine is gone, and what still was on it, which Kubernetes forgets after a minute."""
        self.bed.nodes.remove(node)
        for pod in self.bed.api.list(PODS):
            if pod["spec"].get("nodeName") == node:
                where = ("-n", pod["metadata"]["namespace"], f"pod/{pod['metadata']['name']}")
                self.bed.kubectl("delete", *where, "--force", "--grace-period=0", "--ignore-not-found")

    def provision(self) -> None:
        """Make the volume of every claim for which the scheduler has chosen a node."""
        for claim in self.bed.api.list(CLAIMS):
            node = claim["metadata"].get("annotations", {}).get(SELECTED)
            if node and claim["status"]["phase"] == "Pending" and "volumeName" not in claim["spec"]:
                name = f"pv-{claim['metadata']['uid']}"
                if self.bed.api.find(VOLUMES, name) is None:
                    self.bed.api.create(VOLUMES, self._volume(name, claim, node))

    def remind(self) -> None:
        """Change each pod that kwok has not begun, so that it hears of it again; a kubelet needs no reminder.

        kwok (0.8) passes over a pod as long as it has not heard that its own lease of the node was written,
        and does not come back: on a busy machine, what is bound to a new node may wait for ever.
        """
        ready, now = set(self.bed.nodes.ready()), time.monotonic()
        pods = {
            pod["metadata"]["uid"]: pod
            for pod in self.bed.api.list(PODS, fields=NOT_STARTED)
            if pod["spec"]["nodeName"] in ready and "podIP" not in pod["status"]
        }
        self._unseen = {uid: self._unseen.get(uid, now) for uid in pods}
        for uid, since in self._unseen.items():
            if now - since > PATIENCE:
                where, change = pods[uid]["metadata"], {"metadata": {"annotations": {REMINDED: str(now)}}}
                with suppress(ApiError):  # it may be gone since
                    self.bed.api.patch(PODS, where["name"], change, where["namespace"])

    def hold_at_maximum(self) -> None:
        """Every autoscaler's floor becomes its maximum, as under a load that does not end."""
        for of in self.scaled():
            self.hold(of, of.maximum)

    def hold(self, of: Scaled, pods: int) -> None:
        """An autoscaler's floor becomes so many."""
        self.bed.api.patch(AUTOSCALERS, of.name, {"spec": {"minReplicas": pods}}, of.namespace)

    def let_go(self) -> None:
        """Back to the floor at once, which an autoscaler would take minutes for."""
        committed = {_what(body): body["spec"]["minReplicas"] for body in self._committed()}
        for of in self.scaled():
            floor = committed[of.what]
            self.hold(of, floor)
            self.bed.api.patch(DEPLOYMENTS, of.name, {"spec": {"replicas": floor}}, of.namespace)

    def release(self, of: Scaled, annotations: Mapping[str, str | None]) -> None:
        """Roll out new pods with these annotations; None takes one away."""
        template = {"spec": {"template": {"metadata": {"annotations": dict(annotations)}}}}
        self.bed.api.patch(DEPLOYMENTS, of.name, template, of.namespace)

    # -- inside

    def _seekers(self) -> list[Object]:
        """Homeless pods that a place could be found for."""
        stranded = {_what(pod) for pod in self.stranded()}
        return [pod for pod in self.homeless() if _what(pod) not in stranded]

    def _committed(self) -> list[Object]:
        made = [body for body in self._edge() if body["kind"] == "HorizontalPodAutoscaler"]
        return [*(body for body in objects(self.name) if body["kind"] == "HorizontalPodAutoscaler"), *made]

    def _autoscalers(self) -> list[Object]:
        return [body for name in ("shop", "edge") for body in self.bed.api.list(AUTOSCALERS, name)]

    def _floors(self) -> dict[str, int]:
        """`namespace/name` of each workload under an autoscaler → its floor."""
        found = ((body["metadata"]["namespace"], body["spec"]) for body in self._autoscalers())
        return {f"{where}/{spec['scaleTargetRef']['name']}": spec["minReplicas"] for where, spec in found}

    def _replicas(self, what: str) -> int:
        namespace, name = what.split("/")
        return int(self.bed.api.get(DEPLOYMENTS, name, namespace)["spec"]["replicas"])

    def _scaled(self, autoscaler: Object) -> Scaled:
        spec, namespace = autoscaler["spec"], autoscaler["metadata"]["namespace"]
        target = self.bed.api.get(DEPLOYMENTS, spec["scaleTargetRef"]["name"], namespace)["spec"]
        return Scaled(
            namespace,
            spec["scaleTargetRef"]["name"],
            spec["minReplicas"],
            spec["maxReplicas"],
            target["selector"]["matchLabels"],
            tuple(target["template"]["spec"]["topologySpreadConstraints"]),
        )

    def _zone_of_node(self) -> dict[str, str]:
        return {name: zone for zone, names in self.bed.nodes.by_zone().items() for name in names}

    def _coming(self) -> bool:
        """Whether a node is not ready yet."""
        ready = self.bed.nodes.ready()
        expected = [node for node in self.workers() if node["metadata"]["labels"][ZONE] not in self.lost]
        return any(node["metadata"]["name"] not in ready for node in expected)

    def _zone_of_volumes(self, pod: Object) -> str:
        """The zone that a pod's volumes bind it to, empty if none does."""
        bound = dict(self._volumes())
        return next((bound[claim] for claim in _claims(pod) if claim in bound), "")

    def _volumes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """((namespace, claim), zone) of every volume that is bound to a zone."""
        for volume in self.bed.api.list(VOLUMES):
            [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
            [where] = term["matchExpressions"]
            claim = volume["spec"]["claimRef"]
            if where["key"] == ZONE:
                yield (claim["namespace"], claim["name"]), where["values"][0]

    def _volume(self, name: str, claim: Object, node: str) -> Object:
        zoned = self.bed.environment.eks
        place: Any = (ZONE, self._zone_of_node()[node]) if zoned else (platform.HOSTNAME, node)
        where = {"key": place[0], "operator": "In", "values": [place[1]]}
        source = (
            {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": name}}
            if zoned
            else {"local": {"path": "/var/lib/rancher/k3s/storage"}}
        )
        spec, metadata = claim["spec"], claim["metadata"]
        return {
            "metadata": {"name": name},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": spec["resources"]["requests"],
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    **{key: metadata[key] for key in ("name", "namespace", "uid")},
                },
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [where]}]}},
                "storageClassName": spec["storageClassName"],
                **source,
            },
        }


def _built_in(body: Object) -> bool:
    group = body["apiVersion"].rpartition("/")[0] or "v1"
    return group.endswith(BUILT_IN) and group != "gateway.networking.k8s.io"


def _quick(body: Object) -> Object:
    """A workload as committed, but that its pods count as available sooner."""
    if "minReadySeconds" not in body["spec"]:
        return body
    return {**body, "spec": {**body["spec"], "minReadySeconds": MIN_READY}}


def _local_path() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "local-path"},
        "provisioner": LOCAL_PATH,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _what(body: Object) -> str:
    return f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def _is_of(node: Object, role: str) -> bool:
    return bool(node["metadata"]["labels"]["bed/role"] == role)


def _is_idle(pod: Object) -> bool:
    """Whether a workload waits for a pod: it does not serve, and nobody has asked it to end."""
    owners = [owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])]
    wanted = "deletionTimestamp" not in pod["metadata"] and not {"DaemonSet", "Job"} & set(owners)
    return wanted and bool(owners) and not serves(pod)


def _how(pod: Object, ready: set[str]) -> str:
    """Where a pod is and what it lacks, in words."""
    node, status = pod["spec"].get("nodeName", ""), pod.get("status", {})
    where = f"on {node}" + ("" if node in ready else ", which is silent") if node else "without a node"
    lacks = [each["type"] for each in status.get("conditions", []) if each["status"] != "True"]
    return f"pod {_what(pod)} {where}: {status.get('phase')}, not {', '.join(lacks) or 'looked at'}"


def _cpu(pod: Object) -> int:
    """Millicores that a pod requests."""
    containers = pod["spec"]["containers"]
    return sum(int(1000 * quantity(each["resources"]["requests"]["cpu"])) for each in containers)


def _claims(pod: Object) -> Iterator[tuple[str, str]]:
    for volume in pod["spec"].get("volumes", []):
        if "persistentVolumeClaim" in volume:
            yield pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"]


def _refusal(pod: Object) -> str:
    """Why the scheduler finds no place for a pod; empty where it has one."""
    if "deletionTimestamp" in pod["metadata"] or pod["spec"].get("nodeName"):
        return ""
    conditions = pod.get("status", {}).get("conditions", [])
    found = [each for each in conditions if each["type"] == "PodScheduled" and each["status"] == "False"]
    return str(found[0].get("message", "no reason given")) if found else ""


def _late(body: Object) -> str:
    """What a Deployment, StatefulSet or DaemonSet still waits for; empty when it has all of its pods."""
    spec, status = body["spec"], body.get("status", {})
    if status.get("observedGeneration", 0) < body["metadata"]["generation"]:
        return f"{_what(body)} is not looked at yet"
    words: tuple[str, ...] = ("updatedNumberScheduled", "numberAvailable")
    wanted = status.get("desiredNumberScheduled", 0)
    if "replicas" in spec:
        wanted, words = spec["replicas"], ("replicas", "updatedReplicas", "availableReplicas")
    have = {word: status.get(word, 0) for word in words}
    return f"{_what(body)} is to have {wanted}: {json.dumps(have)}" if set(have.values()) - {wanted} else ""
