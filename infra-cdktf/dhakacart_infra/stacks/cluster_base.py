"""What EKS and K3s have in common: the nodes' way to each other, to the database and out, and a key."""

from __future__ import annotations

from dataclasses import dataclass

from dhakacart_infra import tf
from dhakacart_infra.constructs.firewall import ALL, Traffic, inward, out_to_anywhere, outward, security_group
from dhakacart_infra.constructs.key import key
from dhakacart_infra.stacks.base import Stack
from dhakacart_infra.stacks.data import DataOutputs
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config.infrastructure import Infrastructure

HTTPS = Traffic(443)
DNS = (Traffic(53, "udp"), Traffic(53))


@dataclass(frozen=True, slots=True)
class ClusterOutputs:
    """What other stacks build on, the same for both kinds.

    Both dictionaries have stable keys. Roles of all nodes: "nodes" on EKS, "servers" and "agents" on K3s.
    Groups: letters of zones on EKS, "agents" on K3s; a load balancer that reaches these reaches the cluster.
    """

    name: str
    api_endpoint: str
    node_security_group_id: str
    node_role_names: dict[str, str]
    autoscaling_group_names: dict[str, str]


class Cluster(Stack):
    """The stack's common part. `outputs` is set by each kind."""

    outputs: ClusterOutputs

    def __init__(
        self, scope: tf.Construct, infrastructure: Infrastructure, network: NetworkOutputs, data: DataOutputs
    ) -> None:
        super().__init__(scope, infrastructure, "cluster")
        self.network = network
        self.subnets = network.private_subnets
        self.key = key(
            self,
            "cluster",
            self.names.cluster_key,
            "What the cluster itself keeps",
            keep=infrastructure.production,
        )
        self.nodes = security_group(
            self,
            "nodes",
            network.vpc_id,
            "Nodes and, on EKS, their pods",
            # Exactly one group of a node may have it, or load balancers are not let in anywhere.
            tags={f"kubernetes.io/cluster/{self.names.cluster}": "owned"},
        )
        self.node_rules = [
            inward(
                self, "nodes-from-nodes", self.nodes.id, self.nodes.id, ALL, "Nodes and pods among themselves"
            ),
            outward(
                self, "nodes-to-nodes", self.nodes.id, self.nodes.id, ALL, "Nodes and pods among themselves"
            ),
            # Addresses of AWS, registries, Git, payment providers and Slack are not ours to list.
            out_to_anywhere(self, "nodes-to-https", self.nodes.id, HTTPS, "APIs, images, Git, payments"),
            # The VPC's own resolver needs no rule; certificates are tried at public ones.
            *(
                out_to_anywhere(
                    self, f"nodes-to-dns-{dns.protocol}", self.nodes.id, dns, "Public resolvers, for DNS-01"
                )
                for dns in DNS
            ),
        ]
        self._database(data.database_security_group_id)

    @property
    def log_retention_days(self) -> int:
        """How long CloudWatch keeps what the control plane did."""
        return 365 if self.infrastructure.production else 30

    def _database(self, group_id: str) -> None:
        port = Traffic(self.infrastructure.database.port)
        outward(self, "nodes-to-database", self.nodes.id, group_id, port, "PostgreSQL")
        inward(self, "database-from-nodes", group_id, self.nodes.id, port, "PostgreSQL from nodes and pods")
