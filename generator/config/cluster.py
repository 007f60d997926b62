"""The cluster: EKS or K3s, one typed union."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from generator.config.base import Cidr, KubernetesMinor, Model
from generator.facts import InstanceType


class NodeGroup(Model):
    """Worker nodes, counted over all zones."""

    type: InstanceType = Field(description="EC2 instance type; `dhakacart facts ec2` lists what is known")
    min: int = Field(ge=0, le=100, description="Fewest nodes over all zones")
    max: int = Field(ge=0, le=100, description="Most nodes over all zones")

    @model_validator(mode="after")
    def _ordered(self) -> NodeGroup:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max is {self.max}: min must not be greater than max")
        return self


class Servers(Model):
    """K3s servers: they hold etcd and run workloads too."""

    type: InstanceType = Field(description="EC2 instance type")
    count: Literal[1, 3, 5] = Field(description="An odd number: etcd needs a majority")


class EksCluster(Model):
    """Amazon EKS with managed nodes; pods take addresses of the private subnets (VPC CNI)."""

    kind: Literal["eks"]
    version: KubernetesMinor = Field(description='Kubernetes minor version, quoted: "1.35"')
    nodes: NodeGroup
    service_cidr: Cidr = Field(default="172.20.0.0/16", description="Virtual addresses of Services")


class K3sCluster(Model):
    """K3s on EC2 with embedded etcd."""

    kind: Literal["k3s"]
    version: KubernetesMinor = Field(description='Kubernetes minor version, quoted: "1.35"')
    servers: Servers
    agents: NodeGroup
    pod_cidr: Cidr = Field(default="10.42.0.0/16", description="Addresses of pods")
    service_cidr: Cidr = Field(default="10.43.0.0/16", description="Virtual addresses of Services")


Cluster = Annotated[EksCluster | K3sCluster, Field(discriminator="kind")]
