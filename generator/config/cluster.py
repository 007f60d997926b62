"""The cluster: EKS or K3s, one typed union."""

from __future__ import annotations

import math
from ipaddress import IPv4Network
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from generator.config.base import Cidr, ContradictionError, KubernetesMinor, Model
from generator.facts import InstanceType
from generator.facts.ec2 import Allocatable, instances
from generator.facts.kubernetes import versions


class NodeGroup(Model):
    """Worker nodes, counted over all zones."""

    type: InstanceType = Field(
        description="EC2 instance type; `dhakacart facts ec2` lists what is known", examples=["m7g.large"]
    )
    min: int = Field(ge=0, le=100, description="Fewest nodes over all zones", examples=[3])
    max: int = Field(ge=0, le=100, description="Most nodes over all zones", examples=[9])

    @model_validator(mode="after")
    def _ordered(self) -> NodeGroup:
        if self.min > self.max:
            raise ContradictionError(
                f"`min` is {self.min} and `max` is {self.max}",
                "the minimum cannot be more than the maximum",
                "min",
                "max",
            )
        return self

    def in_each_zone(self, zones: int) -> tuple[tuple[int, int], ...]:
        """Fewest and most nodes of each zone: both spread evenly, what is left over to the first."""
        return tuple(zip(evenly(self.min, zones), evenly(self.max, zones), strict=True))


class Servers(Model):
    """K3s servers: they hold etcd and run workloads too."""

    type: InstanceType = Field(description="EC2 instance type", examples=["t4g.medium"])
    count: Literal[1, 3, 5] = Field(description="An odd number: etcd needs a majority")


AGENTS_PER_NODE = 2  # node-exporter and Alloy
UPGRADE_NODES = 6
"""Nodes beyond the maximum while EKS upgrades a node group: up to two a zone, and a region gives us three.

https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html, read 2026-11-23.
"""


UPGRADE_NODES_A_ZONE = 2
CONTROL_PLANE_ADDRESSES = 4
"""Network interfaces that EKS itself may put into the nodes' subnets, at worst all into one.

https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html, read 2026-11-23.
"""
NODE_DISK_GIB = 50
"""Each node's disk: images, writable layers, logs not yet collected; on K3s also its local volumes."""
NODE_PREFIX = 24  # addresses of pods that K3s gives each node: its default


def evenly(total: int, zones: int) -> tuple[int, ...]:
    """So many in each zone, the first ones with one more if it does not come out even."""
    each, over = divmod(total, zones)
    return tuple(each + (zone < over) for zone in range(zones))


class Pool(NamedTuple):
    """Nodes alike. `most` counts over all zones, `room` is what each has for pods, `key` is the file's."""

    key: str
    type: str
    most: int
    room: Allocatable

    def after_loss(self, zones: int) -> int:
        """How many of `most` remain without one zone, which held the biggest share."""
        return self.most - math.ceil(self.most / zones)


class EksCluster(Model):
    """Amazon EKS with managed nodes; pods take addresses of the private subnets (VPC CNI).

    One address a pod, not /28 prefixes: places of pods and addresses of a zone are counted so.
    """

    kind: Literal["eks"]
    version: KubernetesMinor = Field(description='Kubernetes minor version, quoted: "1.35"')
    nodes: NodeGroup = Field(description="Managed workers")
    service_cidr: Cidr = Field(default="172.20.0.0/16", description="Virtual addresses of Services")

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The nodes that pods run on, at most."""
        return (Pool("nodes", self.nodes.type, self.nodes.max, instances()[self.nodes.type].allocatable()),)

    def nodes_in_a_zone(self, zones: int) -> int:
        """Most nodes of one zone: those of a lost zone among them, and those that an upgrade adds."""
        return math.ceil(self.nodes.max / max(zones - 1, 1)) + UPGRADE_NODES_A_ZONE

    def addresses_in_a_zone(self, zones: int) -> int:
        """Most addresses of a zone's private subnet that nodes, their pods and EKS itself take.

        A node holds all that its network interfaces can have: the VPC CNI keeps them in store for pods.
        """
        instance = instances()[self.nodes.type]
        a_node = instance.enis * instance.ips_per_eni
        return self.nodes_in_a_zone(zones) * a_node + CONTROL_PLANE_ADDRESSES

    @property
    def max_nodes(self) -> int:
        """Most nodes over all zones."""
        return self.nodes.max

    @property
    def agent_pods(self) -> int:
        """Most pods of the agents that run on every node, also while an upgrade adds nodes."""
        return AGENTS_PER_NODE * (self.max_nodes + UPGRADE_NODES)

    @property
    def storage_class(self) -> str:
        """The default StorageClass; the app `foundation` renders it."""
        return "gp3"


class K3sCluster(Model):
    """K3s on EC2 with embedded etcd."""

    kind: Literal["k3s"]
    version: KubernetesMinor = Field(description='Kubernetes minor version, quoted: "1.35"')
    servers: Servers = Field(description="Nodes that hold the control plane")
    agents: NodeGroup = Field(description="Workers")
    pod_cidr: Cidr = Field(default="10.42.0.0/16", description="Addresses of pods")
    service_cidr: Cidr = Field(default="10.43.0.0/16", description="Virtual addresses of Services")

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The nodes that pods run on, at most."""
        servers, agents = instances()[self.servers.type], instances()[self.agents.type]
        return (
            Pool("servers", servers.name, self.servers.count, servers.allocatable_on_k3s(server=True)),
            Pool("agents", agents.name, self.agents.max, agents.allocatable_on_k3s(server=False)),
        )

    def nodes_in_a_zone(self, zones: int) -> int:
        """Most nodes of one zone: those of a lost zone among them, and one that replaces another."""
        return math.ceil(self.max_nodes / max(zones - 1, 1)) + 1

    def addresses_in_a_zone(self, zones: int) -> int:
        """Most addresses of a zone's private subnet: one a node, for pods have a network apart."""
        return self.nodes_in_a_zone(zones)

    @property
    def release(self) -> str:
        """The release of K3s that is installed: the facts' newest of the minor version."""
        found = versions()[self.version].k3s_release
        if found is None:
            raise LookupError(f"no release of K3s {self.version} is known (DC-K8S-001)")
        return found

    @property
    def pod_ranges(self) -> int:
        """How many nodes `pod_cidr` has addresses of pods for."""
        return 1 << max(NODE_PREFIX - IPv4Network(self.pod_cidr).prefixlen, 0)

    @property
    def max_nodes(self) -> int:
        """Most nodes over all zones, servers among them."""
        return self.servers.count + self.agents.max

    @property
    def agent_pods(self) -> int:
        """Most pods of the agents that run on every node, and of a node that replaces another."""
        return AGENTS_PER_NODE * (self.max_nodes + 1)

    @property
    def storage_class(self) -> str:
        """The default StorageClass; K3s brings it."""
        return "local-path"


Cluster = Annotated[EksCluster | K3sCluster, Field(discriminator="kind")]
