"""An API server with controllers, a scheduler and nodes that only pretend, holding one environment.

Enough for everything that admission decides: quotas are counted, Deployments make pods, pods become ready.
Custom resources are left out: no controller here makes anything of them.
"""

from __future__ import annotations

import http
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from apiserver.acceptance import apply, tree
from apiserver.control_plane import VARIABLE, ControlPlane, find_assets
from apiserver.process import free_ports, wait_until

from cluster.api import Api, ApiError

ROOT = Path(__file__).parents[2]
CLUSTERS = ROOT / "clusters"
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "environments").glob("*.yaml"))
KWOK = Path(__file__).with_name("admission_kwok.yaml")

Object = dict[str, Any]

WORKLOADS = ("Deployment", "Job")
CONTROLLERS = (
    "deployment-controller",
    "disruption-controller",
    "job-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "serviceaccount-controller",
    "validatingadmissionpolicy-status-controller",
)
FLAGS = ("--disable-admission-plugins=TaintNodesByCondition",)  # else a node without a kubelet takes no pods
ZONES = ("a", "b", "c")
ROOM = {"cpu": "640", "memory": "2560Gi", "pods": "1000"}
"""Of a pretended node: nothing here waits for room, only for admission."""
PATIENCE = 60.0  # seconds

UNITS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
}
REFUSED = re.compile(r'"(?P<name>[^"]+)" is (?:forbidden|invalid): (?P<why>.*)', re.DOTALL)


def unavailable(reason: str) -> NoReturn:
    """Skip, or fail in CI, where nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require_assets() -> Path:
    """The folder of the control plane's programs, from `KUBEBUILDER_ASSETS`."""
    return find_assets() or unavailable(f"{VARIABLE} names no control plane: `make control-plane` builds one")


def objects(environment: str) -> list[Object]:
    """Everything that is committed for an environment; to be read, not changed."""
    return [load(path) for path in tree(CLUSTERS / environment)]


@cache
def load(path: Path) -> Object:
    """The object of one file; to be read, not changed."""
    body: Object = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)  # a safe loader, and a quick one
    return body


def quantity(text: str) -> Decimal:
    """A Kubernetes quantity as a number, in its base unit: `250m` → 0.25, `1Ki` → 1024."""
    digits = text.rstrip("KMGim")
    return Decimal(digits) * UNITS[text[len(digits) :]]


def as_list(bodies: Iterable[Object]) -> str:
    """Objects as one input for kubectl."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})


@contextmanager
def running(folder: Path, environment: str) -> Iterator[Plane]:
    """A control plane with nodes, and nothing of the environment applied yet."""
    with ControlPlane(require_assets(), folder, controllers=CONTROLLERS, flags=FLAGS) as cluster:
        _start_nodes(cluster)
        plane = Plane(cluster, environment)
        yield plane
        plane.api.close_all()


class Plane:
    """One environment in a control plane of its own."""

    def __init__(self, cluster: ControlPlane, environment: str) -> None:
        self.cluster = cluster
        self.environment = environment

    @cached_property
    def api(self) -> Api:
        """The API as administrator."""
        return Api(self.cluster.port, self.cluster.pki.ca, self.cluster.pki.admin)

    @cached_property
    def files(self) -> list[Path]:
        """Files of the environment whose kinds the bare API server knows."""
        known = set(self.cluster.kubectl("api-versions").output.split())
        return [path for path in tree(CLUSTERS / self.environment) if load(path)["apiVersion"] in known]

    def apply_foundation(self) -> None:
        """Everything but workloads; returns when quotas are counted, as long before the shop's wave."""
        self._apply(path for path in self.files if load(path)["kind"] not in WORKLOADS)
        self.wait(self._quotas_counted, "count of every quota")

    def apply_workloads(self) -> None:
        """Deployments and Jobs."""
        self._apply(path for path in self.files if load(path)["kind"] in WORKLOADS)

    def refusals(self, bodies: Iterable[Object]) -> dict[str, str]:
        """Name → why, of those that the API server would refuse."""
        judged = {body["metadata"]["name"]: self._refusal(body) for body in bodies}
        return {name: why for name, why in judged.items() if why}

    def _refusal(self, body: Object) -> str:
        """Why the API server would not take an object; empty if it would."""
        metadata = body["metadata"]
        resource = f"{body['apiVersion']}/{self.api.plural(body['apiVersion'], body['kind'])}"
        said = ""
        try:
            self.api.create(resource, body, metadata["namespace"], dry_run=True)
        except ApiError as error:
            said = str(error)
        if not said:
            return ""
        match = REFUSED.search(said)
        assert match, said
        assert match["name"] == metadata["name"], said
        return match["why"]

    def items(self, path: str) -> list[Object]:
        """The objects of an API path as in `/apis/apps/v1/deployments`."""
        status, content = self.api.raw("GET", path)
        assert status == http.HTTPStatus.OK, content
        return list(json.loads(content)["items"])

    def failed_creations(self) -> list[tuple[str, str]]:
        """(namespace, what a controller could not create there and why)."""
        return [
            (event["metadata"]["namespace"], f"{event['involvedObject']['name']}: {event['message']}")
            for event in self.items("/api/v1/events")
            if event["reason"] == "FailedCreate"
        ]

    def quotas(self) -> dict[str, dict[str, tuple[Decimal, Decimal]]]:
        """Namespace → resource → (used, hard)."""
        return {
            quota["metadata"]["namespace"]: {
                name: (quantity(quota["status"]["used"][name]), quantity(hard))
                for name, hard in quota["spec"]["hard"].items()
            }
            for quota in self.items("/api/v1/resourcequotas")
        }

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Return when `ready()`; fails when a program ends or patience does."""
        wait_until(ready, what, self.cluster.processes, PATIENCE)

    def _apply(self, files: Iterable[Path]) -> None:
        assert apply(self.cluster, files) == ([], [])

    def _quotas_counted(self) -> bool:
        return all("used" in quota.get("status", {}) for quota in self.items("/api/v1/resourcequotas"))


def _start_nodes(cluster: ControlPlane) -> None:
    """A node in every zone, a scheduler, and kwok in the place of the kubelets."""
    [port] = free_ports(1)
    cluster.kubectl("create", "-f", "-", text=as_list(_nodes()))
    cluster.run("kwok", "--config", KWOK, "--kubeconfig", cluster.kubeconfig, "--manage-all-nodes=true")
    secure = ("--bind-address=127.0.0.1", f"--secure-port={port}")
    cluster.run("kube-scheduler", "--kubeconfig", cluster.kubeconfig, "--leader-elect=false", *secure)


def _nodes() -> Iterator[Object]:
    for zone in ZONES:
        name = f"node-{zone}"
        labels: Mapping[str, str] = {"topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": name}
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "status": {"allocatable": ROOM, "capacity": ROOM},
        }
