"""The cluster of an environment, of the kind that its file says."""

from __future__ import annotations

from typing import assert_never

from dhakacart_infra import tf
from dhakacart_infra.stacks.cluster_base import Cluster, ClusterOutputs
from dhakacart_infra.stacks.cluster_eks import ClusterEks
from dhakacart_infra.stacks.cluster_k3s import ClusterK3s
from dhakacart_infra.stacks.data import DataOutputs
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config.cluster import EksCluster, K3sCluster
from generator.config.infrastructure import Infrastructure

__all__ = ["Cluster", "ClusterOutputs", "make_cluster"]


def make_cluster(
    scope: tf.Construct, infrastructure: Infrastructure, network: NetworkOutputs, data: DataOutputs
) -> Cluster:
    """EKS or K3s: the same lifecycle, the same outputs."""
    match infrastructure.cluster:
        case EksCluster() as eks:
            return ClusterEks(scope, infrastructure, eks, network, data)
        case K3sCluster() as k3s:
            return ClusterK3s(scope, infrastructure, k3s, network, data)
        case _:
            assert_never(infrastructure.cluster)
