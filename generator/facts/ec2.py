"""EC2 instance types: sizes, pods that fit, on-demand price in ap-southeast-1."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

from generator.facts.source import FactFile, Row, Source, read_facts

HOURS_A_MONTH = 730

# kubelet's reservation on EKS nodes: awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go (01375496).
EVICTION_MIB = 100
RESERVED_MIB = 255
RESERVED_MIB_A_POD = 11
RESERVED_CPU = ((0, 1000, 600), (1000, 2000, 100), (2000, 4000, 50), (4000, None, 25))  # from, to, 1/10,000

# A node sees less memory than the type's nominal size: Karpenter's default for what is lost to virtualization
# and kernel, VM_MEMORY_OVERHEAD_PERCENT (karpenter-provider-aws, pkg/operator/options/options.go).
OVERHEAD_PER_MILLE = 75

# K3s reserves nothing for itself; this is what it takes (docs.k3s.io, "Resource Profiling", with etcd, read
# 2026-11-23: a server 6 % of a core and 1,606 MB, an agent 3 % and 275 MB). Its kubelets allow 110 pods.
K3S_SERVER = (60, 1532)
K3S_AGENT = (30, 263)
K3S_PODS = 110


class Allocatable(NamedTuple):
    """What a node has left for pods: thousandths of a core, MiB, and pods."""

    millicores: int
    memory_mib: int
    pods: int


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance type. `hourly_usd` is None where unknown; `price_basis` says how good it is.

    seen: read in the source; linear: computed from another size of the family; inferred: another region's.
    """

    name: str
    vcpu: int
    memory_mib: int
    enis: int
    ips_per_eni: int
    arch: Literal["amd64", "arm64"]
    hourly_usd: Decimal | None
    price_basis: Literal["seen", "linear", "inferred"] | None
    note: str
    sources: tuple[Source, ...]

    @property
    def max_pods(self) -> int:
        """Pods with the VPC CNI, one secondary address a pod (awslabs/amazon-eks-ami, eni-max-pods)."""
        return self.enis * (self.ips_per_eni - 1) + 2

    @property
    def max_pods_with_prefixes(self) -> int:
        """Pods where the VPC CNI hands out /28 prefixes: 16 addresses a slot, within what EKS allows.

        Source: Amazon EKS user guide, "Assign more IP addresses to nodes with prefixes".
        """
        return min(110 if self.vcpu < 30 else 250, self.enis * (self.ips_per_eni - 1) * 16 + 2)

    @property
    def monthly_usd(self) -> Decimal | None:
        """Price of 730 hours."""
        return None if self.hourly_usd is None else self.hourly_usd * HOURS_A_MONTH

    def allocatable(self, max_pods: int | None = None) -> Allocatable:
        """What is left on an EKS node (AL2023) whose kubelet allows `max_pods`, the type's own if None."""
        pods = self.max_pods if max_pods is None else max_pods
        memory = self.memory_mib * (1000 - OVERHEAD_PER_MILLE) // 1000
        reserved = RESERVED_MIB + RESERVED_MIB_A_POD * pods + EVICTION_MIB
        cpu = self.vcpu * 1000
        return Allocatable(cpu - reserved_millicores(cpu), memory - reserved, pods)

    def allocatable_on_k3s(self, *, server: bool) -> Allocatable:
        """What is left beside K3s itself, whose servers hold the control plane; pods have a network apart."""
        cpu, memory = K3S_SERVER if server else K3S_AGENT
        seen = self.memory_mib * (1000 - OVERHEAD_PER_MILLE) // 1000
        return Allocatable(self.vcpu * 1000 - cpu, seen - memory - EVICTION_MIB, K3S_PODS)


def reserved_millicores(cpu: int) -> int:
    """CPU that EKS keeps: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % beyond."""
    return sum(
        (min(cpu, end or cpu) - start) * share // 10_000 for start, end, share in RESERVED_CPU if cpu > start
    )


@cache
def instances() -> dict[str, Instance]:
    """Every known type, by name."""
    return data().indexed("name", _instance)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("ec2")


def _instance(row: Row) -> Instance:
    return Instance(**{**row, "sources": data().sources_of(row)})
