"""Pods and network policies as the rules see them, whatever kind of object holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from generator.check.shape import maps, text, whole
from generator.render.model import Body, Obj

POD_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


@dataclass(slots=True, eq=False)
class Policy:
    """A NetworkPolicy and the rendered pods that it selects.

    `ingress` and `egress` are its rules, None where it does not govern that direction.
    """

    obj: Obj
    selector: Body
    ingress: list[Body] | None
    egress: list[Body] | None
    pods: list[Pod] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.obj.namespace


@dataclass(slots=True, eq=False)
class Container:
    """A container of a pod template; `init` for those that run before the others."""

    pod: Pod
    body: Body
    init: bool
    security: Body

    @property
    def name(self) -> str:
        """`name`."""
        return text(self.body.get("name"))

    @property
    def ports(self) -> list[Body]:
        """`ports`."""
        return maps(self.body.get("ports"))

    def setting(self, key: str) -> Any:
        """`securityContext.<key>` of the container, else of its pod."""
        return self.security[key] if key in self.security else self.pod.security.get(key)


@dataclass(slots=True, eq=False)
class Pod:
    """A pod template, whatever kind of object holds it."""

    obj: Obj
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Body
    security: Body
    containers: list[Container] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    budgets: list[Obj] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.obj.namespace

    def port(self, port: Any) -> int | None:
        """The number of a container port given by name or number; None if no container declares that name."""
        if isinstance(port, int):
            return port
        for container in self.containers:
            for declared in container.ports:
                if declared.get("name") == port:
                    return whole(declared.get("containerPort")) or None
        return None


@dataclass(slots=True, eq=False)
class Elsewhere:
    """The pods of a namespace that are not rendered here: of a chart, a controller or the cluster itself.

    Their labels are unknown, so every policy of the namespace may apply to them. Where a chart brings
    policies of its own, `policies` is not all of them.
    """

    namespace: str
    policies: list[Policy]
    has_more_policies: bool


Endpoint = Pod | Elsewhere


@dataclass(slots=True, eq=False)
class Edge:
    """Pods that a rule of a NetworkPolicy names: `others` are the endpoints that `peer` stands for.

    `key` is "from" for a rule of ingress, "to" for one of egress.
    """

    policy: Policy
    key: str
    rule: Body
    peer: Body
    others: list[Endpoint]


@dataclass(slots=True, eq=False)
class Parent:
    """A Gateway that a route attaches to (None if there is none), and the listeners of it that are meant."""

    reference: Body
    gateway: Obj | None
    listeners: list[Body]


@dataclass(slots=True, eq=False)
class Route:
    """A route of the Gateway API: `parents` that are Gateways, and every backend, mirrors too."""

    obj: Obj
    hosts: list[str]
    parents: list[Parent]
    backends: list[Body]
