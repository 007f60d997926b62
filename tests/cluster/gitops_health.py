"""Samples of every custom kind's status, with the word that Argo CD must have for each.

Statuses are shaped as the controllers write them. Argo CD's word is Healthy, Progressing or Degraded: a wave
waits for the first, waits on at the second, and ends its sync at the third.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

HEALTHY, PROGRESSING, DEGRADED = "Healthy", "Progressing", "Degraded"
NONE = "none"
"""No check: Argo CD is content when such an object exists."""

GENERATION = 3
TIME = "2026-11-01T00:00:00Z"
LATER = "2026-11-01T00:01:00Z"
HEALTH = "resource.customizations.health."
BUILT_IN = {"HorizontalPodAutoscaler.autoscaling": "v2"}
"""Kinds of Kubernetes itself whose check is ours."""
BINARY = {"ARGOCD_BINARY_NAME": "argocd"}
QUICK = {"GOGC": "off", "GOMAXPROCS": "1"}  # for a process that lives half a second


@dataclass(frozen=True, slots=True)
class Sample:
    """An object of a kind (`Certificate.cert-manager.io`) in some state, and the word for it."""

    kind: str
    state: str
    word: str
    status: Object | None
    spec: Object = field(default_factory=dict)
    name: str = "sample"

    def __str__(self) -> str:
        return f"{self.kind}, {self.state}"

    def manifest(self, version: str) -> Object:
        """The object, at a version of its group."""
        kind, _, group = self.kind.partition(".")
        metadata = {"name": self.name, "namespace": "sample", "generation": GENERATION}
        body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": self.spec}
        return body if self.status is None else {**body, "status": self.status}


def conditions(*said: tuple[str, str, str], generation: int | None = GENERATION) -> list[Object]:
    """Conditions (type, status, reason); `generation` is the one that the controller looked at."""
    seen = {} if generation is None else {"observedGeneration": generation}
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": reason,
            "lastTransitionTime": TIME,
            **seen,
        }
        for kind, status, reason in said
    ]


def _ready(kind: str, good: str, bad: str) -> list[Sample]:
    """A kind whose whole state is its condition Ready."""
    return [
        Sample(kind, "new", PROGRESSING, None),
        Sample(kind, "ready", HEALTHY, {"conditions": conditions(("Ready", "True", good))}),
        Sample(kind, "not ready", DEGRADED, {"conditions": conditions(("Ready", "False", bad))}),
    ]


def _certificate() -> list[Sample]:
    kind = "Certificate.cert-manager.io"
    first = (("Issuing", "True", "DoesNotExist"), ("Ready", "False", "DoesNotExist"))
    renewed = (("Ready", "True", "Ready"), ("Issuing", "True", "Renewing"))
    return [
        *_ready(kind, "Ready", "Failed"),
        Sample(kind, "first issued now", PROGRESSING, {"conditions": conditions(*first)}),
        Sample(kind, "renewed now", PROGRESSING, {"conditions": conditions(*renewed)}),
    ]


def _external_secret() -> list[Sample]:
    kind = "ExternalSecret.external-secrets.io"
    spec = {"refreshPolicy": "Periodic", "refreshInterval": "1h"}
    synced = {"conditions": conditions(("Ready", "True", "SecretSynced")), "refreshTime": LATER}
    failed = {"conditions": conditions(("Ready", "False", "SecretSyncedError"))}
    return [
        Sample(kind, "new", PROGRESSING, None, spec),
        Sample(kind, "synced", HEALTHY, synced, spec),
        Sample(kind, "entry missing in AWS", DEGRADED, failed, spec),
    ]


def _gateway_class() -> list[Sample]:
    kind = "GatewayClass.gateway.networking.k8s.io"
    pending = conditions(("Accepted", "Unknown", "Pending"), generation=None)  # the CRD's default
    return [
        Sample(kind, "new", PROGRESSING, {"conditions": pending}),
        Sample(kind, "accepted", HEALTHY, {"conditions": conditions(("Accepted", "True", "Accepted"))}),
        Sample(
            kind,
            "wrong parameters",
            DEGRADED,
            {"conditions": conditions(("Accepted", "False", "InvalidParameters"))},
        ),
    ]


def _gateway() -> list[Sample]:
    kind = "Gateway.gateway.networking.k8s.io"
    good = conditions(("Accepted", "True", "Accepted"), ("Programmed", "True", "Programmed"))
    pending = conditions(
        ("Accepted", "Unknown", "Pending"), ("Programmed", "Unknown", "Pending"), generation=None
    )
    waiting = conditions(("Accepted", "True", "Accepted"), ("Programmed", "False", "AddressNotAssigned"))
    refused = conditions(("Accepted", "False", "InvalidParameters"), ("Programmed", "False", "Invalid"))

    def listener(*said: tuple[str, str, str]) -> list[Object]:
        return [{"name": "https", "attachedRoutes": 1, "supportedKinds": [], "conditions": conditions(*said)}]

    served = listener(("Accepted", "True", "Accepted"), ("ResolvedRefs", "True", "ResolvedRefs"))
    no_certificate = listener(
        ("ResolvedRefs", "False", "InvalidCertificateRef"), ("Programmed", "False", "Invalid")
    )
    return [
        Sample(kind, "new", PROGRESSING, {"conditions": pending}),
        Sample(kind, "programmed", HEALTHY, {"conditions": good, "listeners": served}),
        Sample(kind, "without an address yet", PROGRESSING, {"conditions": waiting, "listeners": served}),
        Sample(kind, "refused", DEGRADED, {"conditions": refused}),
        Sample(
            kind, "listener without certificate", DEGRADED, {"conditions": good, "listeners": no_certificate}
        ),
    ]


def _route() -> list[Sample]:
    kind = "HTTPRoute.gateway.networking.k8s.io"

    def parents(*said: tuple[str, str, str], generation: int = GENERATION) -> Object:
        reference = {"name": "shop", "namespace": "edge"}
        return {"parents": [{"parentRef": reference, "conditions": conditions(*said, generation=generation)}]}

    accepted = ("Accepted", "True", "Accepted")
    resolved = ("ResolvedRefs", "True", "ResolvedRefs")
    return [
        Sample(kind, "new", PROGRESSING, None),
        Sample(kind, "no gateway took it", PROGRESSING, {"parents": []}),
        Sample(kind, "accepted", HEALTHY, parents(accepted, resolved)),
        Sample(
            kind, "host of another", DEGRADED, parents(("Accepted", "False", "NoMatchingListenerHostname"))
        ),
        Sample(
            kind,
            "Service missing",
            DEGRADED,
            parents(accepted, ("ResolvedRefs", "False", "BackendNotFound")),
        ),
        Sample(kind, "edited just now", PROGRESSING, parents(accepted, resolved, generation=GENERATION - 1)),
    ]


def _envoy_policy(kind: str) -> list[Sample]:
    def ancestors(*said: tuple[str, str, str], generation: int = GENERATION) -> Object:
        reference = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "shop"}
        return {
            "ancestors": [{"ancestorRef": reference, "conditions": conditions(*said, generation=generation)}]
        }

    accepted = ("Accepted", "True", "Accepted")
    before = GENERATION - 1
    return [
        Sample(kind, "new", PROGRESSING, None),
        Sample(kind, "accepted", HEALTHY, ancestors(accepted)),
        Sample(kind, "refused", DEGRADED, ancestors(("Accepted", "False", "Invalid"))),
        Sample(kind, "target missing", PROGRESSING, {"ancestors": []}),
        Sample(kind, "merged with another", HEALTHY, ancestors(("Merged", "True", "Merged"), accepted)),
        Sample(
            kind, "overridden by another", DEGRADED, ancestors(accepted, ("Overridden", "True", "Overridden"))
        ),
        Sample(kind, "edited just now", PROGRESSING, ancestors(accepted, generation=before)),
        Sample(
            kind,
            "mended just now",
            PROGRESSING,
            ancestors(("Accepted", "False", "Invalid"), generation=before),
        ),
    ]


def _operated(kind: str) -> list[Sample]:
    def available(status: str, reason: str) -> Object:
        return {
            "conditions": conditions(("Available", status, reason), ("Reconciled", "True", "")),
            **dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 1),
            "unavailableReplicas": 0,
        }

    return [
        Sample(kind, "new", PROGRESSING, None, {"replicas": 1}),
        Sample(kind, "available", HEALTHY, available("True", ""), {"replicas": 1}),
        Sample(kind, "no pod", DEGRADED, available("False", "NoPodReady"), {"replicas": 1}),
    ]


def _autoscaler() -> list[Sample]:
    kind = "HorizontalPodAutoscaler.autoscaling"
    able = ("AbleToScale", "True", "ReadyForNewScale")

    def sample(state: str, word: str, *said: tuple[str, str, str]) -> Sample:
        return Sample(kind, state, word, {"conditions": conditions(*said, generation=None)})

    return [
        Sample(kind, "new", PROGRESSING, None),
        sample("without metrics", PROGRESSING, able, ("ScalingActive", "False", "FailedGetResourceMetric")),
        sample("at work", HEALTHY, able, ("ScalingActive", "True", "ValidMetricFound")),
        sample("scaled to nothing by hand", HEALTHY, able, ("ScalingActive", "False", "ScalingDisabled")),
        sample("two for the same pods", DEGRADED, able, ("ScalingActive", "False", "AmbiguousSelector")),
        sample("target missing", DEGRADED, ("AbleToScale", "False", "FailedGetScale")),
    ]


def _application() -> list[Sample]:
    kind = "Application.argoproj.io"

    def sample(state: str, word: str, *status: Object, name: str = "sample") -> Sample:
        return Sample(
            kind, state, word, {key: each[key] for each in status for key in each} or None, name=name
        )

    def operation(**said: Any) -> Object:
        return {"operationState": said}

    drifted = {"sync": {"status": "OutOfSync"}, "health": {"status": HEALTHY}}
    done = {
        "history": [{"id": 0}],
        "reconciledAt": LATER,
        **operation(phase="Succeeded", finishedAt=TIME),
    }

    def synced(health: str) -> Object:
        return {"sync": {"status": "Synced"}, "health": {"status": health}}

    return [
        sample("new", PROGRESSING),
        sample("objects there, sync not begun", PROGRESSING, drifted),
        sample("first sync runs", PROGRESSING, drifted, operation(phase="Running")),
        sample("first sync tried again", PROGRESSING, drifted, operation(phase="Running", retryCount=1)),
        sample("first sync fails and fails", DEGRADED, drifted, operation(phase="Running", retryCount=3)),
        sample("first sync failed", DEGRADED, drifted, operation(phase="Failed", message="hook failed")),
        sample("all was there before it", HEALTHY, synced(HEALTHY)),
        sample("all there, its hook failed", DEGRADED, synced(HEALTHY), operation(phase="Failed")),
        sample("synced, health of before", PROGRESSING, drifted, done, {"reconciledAt": TIME}),
        sample("synced and healthy", HEALTHY, synced(HEALTHY), done),
        sample("drifted later", HEALTHY, drifted, done),
        sample("its pods start", PROGRESSING, synced(PROGRESSING), done),
        sample("its pods crash", DEGRADED, synced(DEGRADED), done),
        sample("its chart cannot be had", DEGRADED, {**drifted, "sync": {"status": "Unknown"}}),
        sample("the root, itself", HEALTHY, synced(DEGRADED), done, name="root"),
    ]


SOME = 3  # new, accepted, refused

SAMPLES: tuple[Sample, ...] = (
    *_certificate(),
    *_ready("ClusterIssuer.cert-manager.io", "ACMEAccountRegistered", "ErrRegisterACMEAccount"),
    *_ready("Issuer.cert-manager.io", "KeyPairVerified", "ErrGetKeyPair"),
    *_ready("ClusterSecretStore.external-secrets.io", "Valid", "InvalidProviderConfig"),
    *_external_secret(),
    *_gateway_class(),
    *_gateway(),
    *_route(),
    *_envoy_policy("BackendTrafficPolicy.gateway.envoyproxy.io"),
    *_envoy_policy("ClientTrafficPolicy.gateway.envoyproxy.io")[:SOME],  # one script for all four
    *_envoy_policy("EnvoyExtensionPolicy.gateway.envoyproxy.io")[:SOME],
    *_envoy_policy("SecurityPolicy.gateway.envoyproxy.io")[:SOME],
    *_autoscaler(),
    *_operated("Prometheus.monitoring.coreos.com"),
    *_operated("Alertmanager.monitoring.coreos.com"),
    *_application(),
    # A wrong EnvoyProxy shows at its GatewayClass or Gateway; the others have no status that matters.
    Sample("EnvoyProxy.gateway.envoyproxy.io", "any", NONE, None),
    Sample("PodMonitor.monitoring.coreos.com", "any", NONE, None),
    Sample("ServiceMonitor.monitoring.coreos.com", "any", NONE, None),
    Sample("PrometheusRule.monitoring.coreos.com", "any", NONE, None),
    Sample("AppProject.argoproj.io", "any", NONE, None),
)


def custom_kinds(trees: Iterable[Path], crds: Path) -> dict[str, str]:
    """`Kind.group` → version of each custom kind that trees or charts may have, or that we check."""
    wanted = {kind for tree in trees for kind in (*_allowed(tree), *_checked(tree))}
    files = {f"{_kind(path)}.{path.parent.name}": path for path in crds.glob("*/*.yaml")}
    found = {kind: _stored(files[kind]) for kind in wanted & set(files)}
    return found | {kind: version for kind, version in BUILT_IN.items() if kind in wanted}


def _allowed(tree: Path) -> set[str]:
    return {
        f"{item['kind']}.{item['group']}"
        for path in (tree / "argocd").glob("appproject-*.yaml")
        for items in ("clusterResourceWhitelist", "namespaceResourceWhitelist")
        for item in yaml.safe_load(path.read_text())["spec"][items]
    }


def _checked(tree: Path) -> set[str]:
    named = (key.removeprefix(HEALTH).partition("_") for key in settings(tree) if key.startswith(HEALTH))
    return {f"{kind}.{group}" for group, _, kind in named}


def settings(tree: Path) -> dict[str, str]:
    """The health checks that an environment adds to Argo CD's own, as argocd-cm has them."""
    values = yaml.safe_load((tree / "values" / "argo-cd.yaml").read_text())["configs"]["cm"]
    return {key: text for key, text in values.items() if key.startswith("resource.customizations")}


def words(argocd: Path, checks: dict[str, str], manifests: Iterable[Object], folder: Path) -> list[str]:
    """What Argo CD says of each object, as `word` or `word: message`: a process each, several at a time."""
    metadata = {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    config = folder / "argocd-cm.yaml"
    config.write_text(
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": checks})
    )

    def ask(numbered: tuple[int, Object]) -> str:
        number, manifest = numbered
        file = folder / f"{number}.yaml"
        file.write_text(yaml.safe_dump(manifest))
        command: list[str | Path] = [argocd, "admin", "settings", "resource-overrides", "health", file]
        done = subprocess.run(
            [*command, "--argocd-cm-path", config],
            env={**os.environ, **BINARY, **QUICK, "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return _word(done.stdout) or done.stderr.strip()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(ask, enumerate(manifests)))


def _word(said: str) -> str:
    if "Health script is not configured" in said:
        return NONE
    found = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    return ": ".join(filter(None, (found.get("STATUS", ""), found.get("MESSAGE", ""))))


def _kind(crd: Path) -> str:
    """The only `kind:` at that depth; parsing all would take seconds."""
    found = re.search(r"(?m)^    kind: (.*)$", crd.read_text())
    return found[1].strip() if found else ""


def _stored(crd: Path) -> str:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    versions = yaml.load(crd.read_bytes(), loader)["spec"]["versions"]
    return next(str(version["name"]) for version in versions if version["storage"])
