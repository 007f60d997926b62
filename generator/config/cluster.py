"""The cluster: EKS or K3s, one typed union."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from generator.config.base import Cidr, ContradictionError, KubernetesMinor, Model
from generator.facts import InstanceType


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


class Servers(Model):
    """K3s servers: they hold etcd and run workloads too."""

    type: InstanceType = Field(description="EC2 instance type", examples=["t4g.medium"])
    count: Literal[1, 3, 5] = Field(description="An odd number: etcd needs a majority")


AGENTS_PER_NODE = 2  # node-exporter and Alloy
UPGRADE_NODES = 6
"""Nodes beyond the maximum while EKS upgrades a node group: up to two a zone, and a region gives us three.

https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html, read 2026-11-23.
"""


class EksCluster(Model):
    """Amazon EKS with managed nodes; pods take addresses of the private subnets (VPC CNI)."""

    kind: Literal["eks"]
    version: KubernetesMinor = Field(description='Kubernetes minor version, quoted: "1.35"')
    nodes: NodeGroup = Field(description="Managed workers")
    service_cidr: Cidr = Field(default="172.20.0.0/16", description="Virtual addresses of Services")

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
