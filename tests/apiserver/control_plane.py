"""etcd and kube-apiserver as plain processes on 127.0.0.1, and kubectl to talk to them.

The programs come from the folder that `KUBEBUILDER_ASSETS` names (envtest's convention); kubectl from there
or from the PATH. Everything that is written lies in one folder.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from apiserver.pki import Pki, make_pki
from apiserver.process import Process, free_ports, wait_until

VARIABLE = "KUBEBUILDER_ASSETS"
STARTUP = 60.0  # seconds; 3 to 4 are usual
SERVICES = "10.0.0.0/24"


class KubectlError(RuntimeError):
    """kubectl failed. The message is what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What kubectl printed. `errors` also holds the API server's warnings."""

    output: str
    errors: str


def find_assets() -> Path | None:
    """The folder of the control plane's programs, None if `KUBEBUILDER_ASSETS` names none."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named and (Path(named) / "kube-apiserver").is_file() else None


class ControlPlane:
    """A Kubernetes API of its own, empty at the start: `with ControlPlane(assets, folder) as cluster`.

    `controllers` names those of kube-controller-manager to run (none: it is not started). `flags` are more
    arguments for kube-apiserver. Processes end in reverse order, the apiserver before etcd, which it would
    otherwise wait for.
    """

    def __init__(
        self, assets: Path, folder: Path, *, controllers: Sequence[str] = (), flags: Iterable[str] = ()
    ) -> None:
        self.assets = assets
        self.folder = folder
        self.controllers = tuple(controllers)
        self.flags = tuple(flags)
        self.processes: list[Process] = []
        self.port = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process, last started first. Harmless when repeated."""
        while self.processes:
            self.processes.pop().stop()

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self.folder / "kubeconfig"

    @cached_property
    def pki(self) -> Pki:
        """Keys and certificates, made when first asked for."""
        return make_pki(self.folder)

    @cached_property
    def kubectl_program(self) -> Path:
        """kubectl of the assets, else of the PATH."""
        found = shutil.which("kubectl", path=f"{self.assets}{os.pathsep}{os.environ.get('PATH', '')}")
        if found is None:
            raise KubectlError(f"kubectl is neither in {VARIABLE} nor on the PATH")
        return Path(found)

    def run(self, name: str, *arguments: str | Path, program: Path | None = None) -> Process:
        """Start a program of the assets (or `program`); it ends with the control plane."""
        command = [program or self.assets / name, *arguments]
        process = Process(name, command, self.folder, {"HOME": str(self.folder)})
        self.processes.append(process)
        return process

    def kubectl(self, *arguments: str | Path, text: str | None = None, timeout: float = 120) -> Answer:
        """Run kubectl as administrator, `text` as its input. KubectlError if it fails."""
        command = [str(self.kubectl_program), "--kubeconfig", str(self.kubeconfig), *map(str, arguments)]
        environment = {**os.environ, "HOME": str(self.folder)}  # kubectl keeps a cache there
        done = subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise KubectlError(
                done.stderr.strip() or f"kubectl {arguments[0]}: exit status {done.returncode}"
            )
        return Answer(done.stdout, done.stderr)

    def get(self, *arguments: str | Path) -> Any:
        """`kubectl get … -o json`, parsed."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json").output)

    def install_crds(self, files: Iterable[Path]) -> None:
        """Apply CustomResourceDefinitions and wait until all are served; each costs the apiserver 0.4 s.

        Server-side, because the largest does not fit into client-side apply's annotation.
        """
        named = [part for path in files for part in ("-f", str(path))]
        if named:
            self.kubectl("apply", "--server-side", *named)
            wait_until(self._crds_served, "CustomResourceDefinitions", self.processes, STARTUP)

    def _start(self) -> None:
        etcd, peer, self.port = free_ports(3)
        self._start_etcd(etcd, peer)
        self._start_apiserver(etcd)
        self._write_kubeconfig()
        wait_until(lambda: self._healthy("readyz"), "kube-apiserver", self.processes, STARTUP)
        if self.controllers:
            self._start_controller_manager()

    def _start_etcd(self, client: int, peer: int) -> None:
        clients, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        self.run(
            "etcd",
            *("--data-dir", self.folder / "etcd", "--unsafe-no-fsync", "--log-level=warn"),
            *(f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"),
            *(f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"),
            f"--initial-cluster=default={peers}",
        )

    def _start_apiserver(self, etcd: int) -> None:
        pki = self.pki
        self.run(
            "kube-apiserver",
            *(f"--etcd-servers=http://127.0.0.1:{etcd}", f"--service-cluster-ip-range={SERVICES}"),
            *("--bind-address=127.0.0.1", f"--secure-port={self.port}", "--endpoint-reconciler-type=none"),
            f"--tls-cert-file={pki.server.certificate}",
            f"--tls-private-key-file={pki.server.key}",
            f"--client-ca-file={pki.ca.certificate}",
            f"--service-account-issuer={self.url}",
            f"--service-account-key-file={pki.service_accounts_public}",
            f"--service-account-signing-key-file={pki.service_accounts}",
            *("--authorization-mode=RBAC", "--allow-privileged=true"),
            *self.flags,
        )

    def _start_controller_manager(self) -> None:
        [port] = free_ports(1)
        self.run(
            "kube-controller-manager",
            *("--kubeconfig", self.kubeconfig, "--bind-address=127.0.0.1", f"--secure-port={port}"),
            f"--controllers={','.join(self.controllers)}",
            *("--leader-elect=false", "--use-service-account-credentials"),
            f"--service-account-private-key-file={self.pki.service_accounts}",
            f"--root-ca-file={self.pki.ca.certificate}",
        )

    def _write_kubeconfig(self) -> None:
        pki = self.pki
        cluster = {"server": self.url, "certificate-authority": str(pki.ca.certificate)}
        user = {"client-certificate": str(pki.admin.certificate), "client-key": str(pki.admin.key)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
        self.kubeconfig.write_text(json.dumps(config, indent=2))

    def _crds_served(self) -> bool:
        # Not `kubectl wait`: it asks for one after the other, 9 s for 41, and says nothing of discovery.
        defined = self.kubectl("get", "crd", "-o", "jsonpath={.items[*].metadata.name}").output.split()
        served = self.kubectl("api-resources", "--cached=false", "-o", "name").output.split()
        return bool(defined) and set(defined) <= set(served)

    def _healthy(self, path: str) -> bool:
        context = ssl.create_default_context(cafile=str(self.pki.ca.certificate))
        context.load_cert_chain(self.pki.admin.certificate, self.pki.admin.key)
        try:
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
