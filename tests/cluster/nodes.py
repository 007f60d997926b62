"""The nodes of a test bed: made from the environment's file, and what may happen to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cluster.api import Api, Object
from cluster.environment import Environment, NodeKind

if TYPE_CHECKING:
    from apiserver.control_plane import Answer

NODES = "v1/nodes"
LEASES = "coordination.k8s.io/v1/leases"
A_DAY = 86_400  # seconds
MANAGED = "kwok.x-k8s.io/node"
ZONE = "topology.kubernetes.io/zone"

Kubectl = Callable[..., "Answer"]


class Nodes:
    """What a cloud, an operator or an accident does to nodes."""

    def __init__(self, environment: Environment, api: Api, kubectl: Kubectl) -> None:
        self._environment = environment
        self._api = api
        self._kubectl = kubectl
        self._made: dict[str, int] = defaultdict(int)

    def make(self) -> list[str]:
        """The environment's minimum of nodes, spread over its zones; their names."""
        return [self.add(kind) for kind in self._environment.nodes for _ in range(kind.minimum)]

    def make_maximum(self) -> list[str]:
        """Add what is missing to the environment's maximum; the names of the new ones."""
        return [
            self.add(kind)
            for kind in self._environment.nodes
            for _ in range(kind.maximum - len(self._of_role(kind.role)))
        ]

    def add(self, kind: NodeKind | None = None, zone: str | None = None) -> str:
        """A new node, of the workers' kind and in the zone that has fewest if none are named; its name."""
        kind = kind or self._environment.nodes[-1]
        zone = zone or self._emptiest(kind)
        self._made[kind.role] += 1
        name = f"{self._environment.name}-{kind.role}-{zone[-1]}-{self._made[kind.role]}"
        self._api.create(NODES, node(name, kind, zone, self._environment))
        return name

    def remove(self, name: str) -> None:
        """The machine is gone, and the cloud says so: the node object is deleted."""
        self._api.delete(NODES, name)

    def fail(self, *names: str) -> None:
        """The kubelet falls silent: no heartbeat, pods on it neither start nor end. `recover` undoes it.

        kwok leaves a node alone while its lease is somebody else's. Without the annotation it would go on.
        """
        for name in names:
            self._hold_lease(name, {"holderIdentity": "nobody", "leaseDurationSeconds": A_DAY})

    def recover(self, *names: str) -> None:
        """A node that fell silent is back."""
        for name in names:
            self._hold_lease(name, {"leaseDurationSeconds": 1})

    def lose_zone(self, zone: str) -> list[str]:
        """Every node of a zone falls silent; their names."""
        lost = self.by_zone()[zone]
        self.fail(*lost)
        return lost

    def cordon(self, name: str) -> None:
        """No new pods."""
        self._api.patch(NODES, name, {"spec": {"unschedulable": True}})

    def uncordon(self, name: str) -> None:
        """New pods again."""
        self._api.patch(NODES, name, {"spec": {"unschedulable": None}})

    def drain(self, name: str, timeout: float = 60) -> None:
        """Cordon, and evict every pod within its budget, by `kubectl drain`; KubectlError if it cannot."""
        flags = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={timeout:g}s")
        self._kubectl("drain", name, *flags, timeout=timeout + 30)

    def names(self) -> list[str]:
        """Every node."""
        return [node["metadata"]["name"] for node in self.all()]

    def all(self) -> list[Object]:
        """Every node, as an object."""
        return self._api.list(NODES)

    def by_zone(self) -> dict[str, list[str]]:
        """Zone → names of its nodes, for every zone of the environment."""
        zones: dict[str, list[str]] = {zone: [] for zone in self._environment.zones}
        for one in self.all():
            zones[one["metadata"]["labels"][ZONE]].append(one["metadata"]["name"])
        return zones

    def ready(self) -> list[str]:
        """Names of the nodes whose condition Ready is true."""
        return [one["metadata"]["name"] for one in self.all() if _is_ready(one)]

    def _of_role(self, role: str) -> list[Object]:
        return self._api.list(NODES, labels=f"bed/role={role}")

    def _hold_lease(self, name: str, spec: Object) -> None:
        self._api.patch(LEASES, name, {"spec": spec}, "kube-node-lease")

    def _emptiest(self, kind: NodeKind) -> str:
        taken = [one["metadata"]["labels"][ZONE] for one in self._of_role(kind.role)]
        return min(self._environment.zones, key=taken.count)


def node(name: str, kind: NodeKind, zone: str, environment: Environment) -> Object:
    """A node that kwok plays, with what the environment's instance type leaves for pods."""
    resources = {"cpu": f"{kind.millicores}m", "memory": f"{kind.memory}Mi", "pods": str(kind.pods)}
    labels = {
        "bed/role": kind.role,
        "kubernetes.io/arch": kind.arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": kind.instance,
        "topology.kubernetes.io/region": environment.region,
        ZONE: zone,
    }
    if kind.role == "server":
        labels |= {"node-role.kubernetes.io/control-plane": "true"}
    annotations = {
        MANAGED: "fake",
        "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"providerID": f"bed://{zone}/{name}"},
        "status": {"allocatable": resources, "capacity": resources, "phase": "Running"},
    }


def daemonset(name: str, requests: Iterable[dict[str, str]]) -> Object:
    """What takes room on every node and is no part of the test bed's tree."""
    containers = [
        {"name": f"part-{number}", "image": "bed/stand-in", "resources": {"requests": each, "limits": each}}
        for number, each in enumerate(requests)
    ]
    labels = {"app.kubernetes.io/name": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "priorityClassName": "system-node-critical",
                    "tolerations": [{"operator": "Exists"}],
                    "containers": containers,
                },
            },
        },
    }


def _is_ready(one: Object) -> bool:
    conditions = one.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
