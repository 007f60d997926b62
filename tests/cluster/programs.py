"""Every program of a test bed: how it is called, and how to see that it is ready.

The flags that scale time are here. What differs from a real cluster is said beside each.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apiserver.pki import FRONT_PROXY, Pki

from cluster.errors import BedError

HERE = Path(__file__).parent
METRICS_PERIOD = 12  # seconds

NAMES = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kwok", "metrics-server", "argocd"),
)
"""What the folder of `KUBEBUILDER_ASSETS` must have."""

SYSTEM = {"redis-server": "redis-server", "git": "git", "openssl": "openssl", "kubectl": ""}
"""What must be on the PATH, and Debian's package of it, empty where Debian has none."""


@dataclass(frozen=True, slots=True)
class Program:
    """One child. `probe` answers when it is ready: an http(s) URL by status 200, a tcp one by connecting."""

    name: str
    executable: Path
    arguments: tuple[str, ...]
    probe: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    renamed: bool = True  # runs under a name inside the test bed's folder, by which a later run recognises it


def on_path(name: str) -> Path:
    """A program of the PATH; BedError that names its Debian package if it is missing."""
    found = shutil.which(name)
    if found is None:
        package = SYSTEM.get(name)
        advice = f"Debian's package is {package}" if package else "see its project's release page"
        raise BedError(f"{name} is needed on the PATH, and is not there: {advice}")
    return Path(found)


def apiserver_flags(pki: Pki) -> list[str]:
    """More flags for kube-apiserver.

    Webhooks are off: whoever answers them would be a pod. A pod leaves a silent node after 3 s, not 300.
    """
    return [
        f"--requestheader-client-ca-file={pki.ca.certificate}",
        f"--requestheader-allowed-names={FRONT_PROXY}",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki.front_proxy.certificate}",
        f"--proxy-client-key-file={pki.front_proxy.key}",
        "--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook",
        "--default-not-ready-toleration-seconds=3",
        "--default-unreachable-toleration-seconds=3",
    ]


def controller_manager(assets: Path, kubeconfig: Path, pki: Pki, port: int) -> Program:
    """Every controller. Time is scaled: a node is silent after 12 s (40), two a second are emptied (0.1).

    Autoscaling looks every second (15) and counts young pods at once (5 min). One a second must not be asked
    for: the limiter that lets none through, for a zone that is lost in part, says that this is its rate, and
    Kubernetes (1.36, SwapLimiter) keeps it when the zone is lost altogether: nothing ever leaves it then.
    """
    return Program(
        "kube-controller-manager",
        assets / "kube-controller-manager",
        (
            f"--kubeconfig={kubeconfig}",
            *("--bind-address=127.0.0.1", f"--secure-port={port}"),
            *("--leader-elect=false", "--use-service-account-credentials"),
            f"--service-account-private-key-file={pki.service_accounts}",
            f"--root-ca-file={pki.ca.certificate}",
            *("--kube-api-qps=200", "--kube-api-burst=400"),
            "--node-monitor-period=1s",
            "--node-monitor-grace-period=12s",
            "--node-eviction-rate=2",
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
        ),
        f"https://127.0.0.1:{port}/healthz",
    )


def scheduler(assets: Path, kubeconfig: Path, port: int) -> Program:
    """The scheduler as it is."""
    return Program(
        "kube-scheduler",
        assets / "kube-scheduler",
        (
            f"--kubeconfig={kubeconfig}",
            *("--bind-address=127.0.0.1", f"--secure-port={port}", "--leader-elect=false"),
            *("--kube-api-qps=200", "--kube-api-burst=400"),
        ),
        f"https://127.0.0.1:{port}/healthz",
    )


def kwok(assets: Path, kubeconfig: Path, pki: Pki, port: int) -> Program:
    """Plays the kubelet of every node that has its annotation; serves their metrics on one port."""
    return Program(
        "kwok",
        assets / "kwok",
        (
            f"--kubeconfig={kubeconfig}",
            f"--config={HERE / 'kwok.yaml'}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=8",
            "--cidr=10.64.0.0/16",
            f"--server-address=127.0.0.1:{port}",
            *("--node-ip=127.0.0.1", f"--node-port={port}"),
            f"--tls-cert-file={pki.server.certificate}",
            f"--tls-private-key-file={pki.server.key}",
        ),
        f"https://127.0.0.1:{port}/healthz",
    )


def metrics_server(assets: Path, kubeconfig: Path, folder: Path, ports: tuple[int, int]) -> list[Program]:
    """Two of metrics-server, the second half a period later: it refuses to look more often than every 10 s.

    `front.py` answers with what the one knows that has looked last; kwok.yaml depends on the period.
    """
    own = folder / "metrics-server"
    looks = [
        (
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            *("--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={own / str(port)}"),
            *("--kubelet-use-node-status-port", "--kubelet-insecure-tls"),
            "--kubelet-preferred-address-types=InternalIP",
            *(f"--metric-resolution={METRICS_PERIOD}s", "--kubelet-request-timeout=5s"),
        )
        for port in ports
    ]
    program = assets / "metrics-server"
    later = ("-c", f'sleep {METRICS_PERIOD // 2}; exec "$0" "$@"', str(program), *looks[1])
    return [
        Program("metrics-server", program, looks[0], f"https://127.0.0.1:{ports[0]}/livez"),
        Program("metrics-server-later", Path("/bin/sh"), later),
    ]


def redis(folder: Path, port: int) -> Program:
    """A cache that keeps nothing."""
    own = folder / "redis"
    own.mkdir()
    return Program(
        "redis-server",
        on_path("redis-server"),
        (
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(own)),
            *("--save", "", "--appendonly", "no", "--set-proc-title", "no"),
        ),
        f"tcp://127.0.0.1:{port}",
    )


@dataclass(frozen=True, slots=True)
class ArgoCd:
    """The parts of Argo CD: one binary that looks at the name it goes by; its state is below one folder."""

    assets: Path
    folder: Path
    kubeconfig: Path
    redis: int

    def repo_server(self, port: int, metrics: int) -> Program:
        """Makes manifests out of Git. Looks for new commits every second (3 minutes)."""
        return self._program(
            "argocd-repo-server",
            (
                *("--address=127.0.0.1", f"--port={port}"),
                *("--metrics-address=127.0.0.1", f"--metrics-port={metrics}"),
                f"--redis=127.0.0.1:{self.redis}",
                "--revision-cache-expiration=1s",
            ),
            f"tcp://127.0.0.1:{port}",
        )

    def controller(self, repo_server: int, metrics: int) -> Program:
        """Compares and syncs. Looks every 3 s (2 minutes), heals after 1 s (5 s)."""
        return self._program(
            "argocd-application-controller",
            (
                f"--kubeconfig={self.kubeconfig}",
                f"--metrics-port={metrics}",
                f"--redis=127.0.0.1:{self.redis}",
                f"--repo-server=127.0.0.1:{repo_server}",
                "--server-side-diff-enabled",
                *("--app-resync=3", "--app-resync-jitter=0"),
                *("--self-heal-timeout-seconds=1", "--self-heal-backoff-timeout-seconds=1"),
                "--self-heal-backoff-cap-seconds=5",
                *("--status-processors=8", "--operation-processors=8"),
            ),
            f"http://127.0.0.1:{metrics}/healthz",
        )

    def applicationset_controller(self, repo_server: int, ports: tuple[int, int, int]) -> Program:
        """Makes Applications out of ApplicationSets; the platform has none."""
        metrics, probe, webhook = ports
        return self._program(
            "argocd-applicationset-controller",
            (
                *(f"--kubeconfig={self.kubeconfig}", "--namespace=argocd"),
                f"--metrics-addr=127.0.0.1:{metrics}",
                f"--probe-addr=127.0.0.1:{probe}",
                f"--webhook-addr=127.0.0.1:{webhook}",
                f"--argocd-repo-server=127.0.0.1:{repo_server}",
            ),
            f"http://127.0.0.1:{metrics}/metrics",
        )

    def _program(self, name: str, arguments: tuple[str, ...], probe: str) -> Program:
        own = self.folder / "argocd"
        verify = own / "bin" / "git-verify-wrapper.sh"  # repo-server wants it, also where nothing is signed
        for part in ("tls", "ssh", "gpg/source", "gpg/keys", "plugins", "bin", "tmp"):
            (own / part).mkdir(parents=True, exist_ok=True)
        (own / "ssh" / "ssh_known_hosts").touch()
        verify.write_text("#!/bin/sh\nexit 0\n")
        verify.chmod(0o755)
        environment = {
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_K8S_CLIENT_QPS": "500",
            "ARGOCD_K8S_CLIENT_BURST": "1000",  # 50 and 100
            "ARGOCD_SYNC_WAVE_DELAY": "0",  # 2 s, for others to react: health checks wait anyway
            "KUBECONFIG": str(self.kubeconfig),  # the applicationset controller does not read its flag
            "ARGOCD_TLS_DATA_PATH": str(own / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(own / "ssh"),
            "ARGOCD_GPG_DATA_PATH": str(own / "gpg" / "source"),
            "ARGOCD_GNUPGHOME": str(own / "gpg" / "keys"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_PLUGINSOCKFILEPATH": str(own / "plugins"),
            "TMPDIR": str(own / "tmp"),
            "PATH": f"{own / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        return Program(name, self.assets / "argocd", arguments, probe, environment)


def metrics_front(folder: Path, pki: Pki, port: int, backends: tuple[int, int]) -> Program:
    """Makes one of the two of metrics-server; see its module."""
    said = {
        "port": port,
        "backends": backends,
        "ca": str(pki.ca.certificate),
        "certificate": str(pki.server.certificate),
        "key": str(pki.server.key),
        "proxy_certificate": str(pki.front_proxy.certificate),
        "proxy_key": str(pki.front_proxy.key),
    }
    return _module("metrics-front", "cluster.front", folder, said, f"tcp://127.0.0.1:{port}")


def stand_in(folder: Path, pki: Pki, apiserver: int) -> Program:
    """Gives custom resources the status that their controllers would give."""
    said = {
        "port": apiserver,
        "ca": str(pki.ca.certificate),
        "certificate": str(pki.admin.certificate),
        "key": str(pki.admin.key),
    }
    return _module("stand-in", "cluster.standin", folder, said)


def _module(name: str, module: str, folder: Path, said: Mapping[str, object], probe: str = "") -> Program:
    """A program of this package, told what it must know by a file."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(said))
    return Program(
        name,
        Path(sys.executable),
        ("-m", module, str(file)),
        probe,
        {"PYTHONPATH": str(HERE.parent)},
        renamed=False,  # Python would look for its libraries beside that name
    )
