"""What an environment's file says of its nodes, and what runs on each of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cluster.errors import BedError

REGION = "ap-southeast-1"  # of every environment, unless its file says otherwise

EKS_ADDONS = {"cpu": "155m", "memory": "120Mi"}
"""Requests of what EKS runs on each node: the VPC CNI 25m, kube-proxy 100m, the EBS CSI node plugin 30m."""


@dataclass(frozen=True, slots=True)
class NodeKind:
    """Nodes of one instance type: `role` is part of their names. Memory is in MiB."""

    role: str
    instance: str
    arch: str
    millicores: int
    memory: int
    pods: int
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Environment:
    """One file of environments/, as far as a test bed needs it; `zones` are whole names."""

    name: str
    kind: str
    region: str
    zones: tuple[str, ...]
    nodes: tuple[NodeKind, ...]
    repository: str
    revision: str

    @property
    def eks(self) -> bool:
        """Whether Amazon runs the control plane."""
        return self.kind == "eks"


def names(root: Path) -> list[str]:
    """Every environment that has a rendered tree."""
    return sorted(path.stem for path in (root / "environments").glob("*.yaml"))


def read(root: Path, name: str) -> Environment:
    """Read an environment; BedError if there is none of that name."""
    path = root / "environments" / f"{name}.yaml"
    if not path.is_file():
        raise BedError(f"there is no environment {name!r}: environments/ has {', '.join(names(root))}")
    said = yaml.safe_load(path.read_text())
    cluster, aws = said["cluster"], said["aws"]
    region = aws.get("region", REGION)
    zones = tuple(f"{region}{letter}" for letter in aws["network"]["zones"])
    kinds = tuple(_kind(role, group) for role, group in _groups(cluster))
    gitops = said["gitops"]
    return Environment(name, cluster["kind"], region, zones, kinds, gitops["repository"], gitops["revision"])


def agent_requests(root: Path, name: str) -> list[dict[str, str]]:
    """Requests of the containers that the charts run on every node: Alloy and node-exporter."""
    values = root / "clusters" / name / "values"
    alloy = yaml.safe_load((values / "alloy.yaml").read_text())
    stack = yaml.safe_load((values / "kube-prometheus-stack.yaml").read_text())
    parts = (alloy.get("alloy"), alloy.get("configReloader"), stack.get("prometheus-node-exporter"))
    return [part["resources"]["requests"] for part in parts if part and "resources" in part]


def _groups(cluster: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if cluster["kind"] == "eks":
        return [("node", cluster["nodes"])]
    servers = cluster["servers"]
    counted = {"type": servers["type"], "min": servers["count"], "max": servers["count"]}
    return [("server", counted), ("agent", cluster["agents"])]


def _kind(role: str, group: dict[str, Any]) -> NodeKind:
    fact = {row["type"]: row for row in facts("ec2")}[group["type"]]
    return NodeKind(
        role,
        group["type"],
        fact["arch"],
        fact["allocatable_millicores"],
        fact["allocatable_mib"],
        fact["max_pods"],
        group["min"],
        group["max"],
    )


@cache
def facts(table: str) -> list[dict[str, Any]]:
    """The rows of a table of `dhakacart facts`."""
    command = [str(Path(sys.executable).with_name("dhakacart")), "facts", table, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BedError(f"`dhakacart facts {table}` failed: {done.stderr.strip()}")
    rows: list[dict[str, Any]] = json.loads(done.stdout)[0]["rows"]
    return rows
