"""Workloads that ask AWS for something: their ServiceAccount and what their IAM role may do.

Infrastructure makes one role a workload, which trusts that ServiceAccount alone (EKS Pod Identity). K3s has
no such identity: its nodes' instance profile may do what all of them together need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ClusterKind = Literal["eks", "k3s"]
Permission = Literal["dns", "store-logs", "network-interfaces", "nodes", "read-secrets", "volumes"]
"""What a role may do, by name; infrastructure knows the policy of each.

dns: change records of the domain's zone. store-logs: read, write and delete in the bucket of logs.
network-interfaces: give pods addresses. nodes: resize the node groups. read-secrets: read the entries of
this environment in Secrets Manager. volumes: make, attach and delete volumes.
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A ServiceAccount that has an IAM role. The role is `Names.role(name)`.

    `app` is whose chart makes the ServiceAccount, and `value` the dotted path of its name in the chart's
    values; both are empty for an add-on of EKS, which brings its own.
    """

    name: str
    namespace: str
    service_account: str
    permissions: tuple[Permission, ...]
    app: str = ""
    value: str = "serviceAccount.name"
    clusters: tuple[ClusterKind, ...] = ("eks", "k3s")


EKS_ONLY: tuple[ClusterKind, ...] = ("eks",)
WORKLOADS = (
    Workload(
        "external-secrets", "external-secrets", "external-secrets", ("read-secrets",), "external-secrets"
    ),
    Workload("cert-manager", "cert-manager", "cert-manager", ("dns",), "cert-manager"),
    Workload("loki", "monitoring", "loki", ("store-logs",), "loki"),
    Workload(
        "cluster-autoscaler",
        "cluster-services",
        "cluster-autoscaler",
        ("nodes",),
        "cluster-autoscaler",
        "rbac.serviceAccount.name",
        EKS_ONLY,
    ),
    Workload("vpc-cni", "kube-system", "aws-node", ("network-interfaces",), "", "", EKS_ONLY),
    Workload("ebs-csi", "kube-system", "ebs-csi-controller-sa", ("volumes",), "", "", EKS_ONLY),
)


def workloads_on(cluster: ClusterKind) -> tuple[Workload, ...]:
    """The workloads that one kind of cluster has."""
    return tuple(workload for workload in WORKLOADS if cluster in workload.clusters)


INSTANCE_METADATA = "169.254.169.254"


def credentials_address(cluster: ClusterKind) -> str:
    """Where pods ask for their role's credentials: Pod Identity's agent, or the instance's metadata."""
    return "169.254.170.23" if cluster == "eks" else INSTANCE_METADATA
