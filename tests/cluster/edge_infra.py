"""What Envoy Gateway makes of a Gateway in the cluster: a Service and a Deployment of proxies.

The translator (`egctl`) says which listeners, ports and settings there are, not the objects. They are put
together here as Envoy Gateway 1.9.1 does: internal/infrastructure/kubernetes/proxy/resource_provider.go
(names, labels, ports, grace period) and resource.go (containers, security contexts), with the sidecar's
requests from api/v1alpha1/shared_types.go. Left out is what admission does not look at: probes, arguments,
volumes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apiserver.control_plane import ControlPlane

Object = dict[str, Any]

MOVED = 10000  # a listener's port below 1024 is this much higher in the container, which is not root
DRAIN_GRACE = 300  # seconds that a pod may take to end, beyond the drain
SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "runAsGroup": 65532,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SIDECAR_REQUESTS = {"cpu": "10m", "memory": "32Mi"}


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the proxies' Service and where it leads."""

    name: str
    service: int
    container: int


def listener_ports(gateway: Object) -> list[Port]:
    """The ports of a Gateway, as the translator numbers them."""
    numbers = sorted({listener["port"]: listener for listener in gateway["spec"]["listeners"]}.items())
    return [
        Port(f"{listener['protocol'].lower()}-{number}", number, number + (MOVED if number < 1024 else 0))
        for number, listener in numbers
    ]


def service(gateway: Object, proxy: Object, ports: Iterable[Port]) -> Object:
    """The Service before the EnvoyProxy's patch."""
    settings = proxy["spec"]["provider"]["kubernetes"]["envoyService"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(gateway),
        "spec": {
            "type": settings["type"],
            "externalTrafficPolicy": settings["externalTrafficPolicy"],
            "selector": _labels(gateway),
            "ports": [
                {"name": port.name, "protocol": "TCP", "port": port.service, "targetPort": port.container}
                for port in ports
            ],
        },
    }


def patched(cluster: ControlPlane, made: Object, patch: Object) -> Object:
    """An object with a patch of the EnvoyProxy, merged by kubectl with the code that Envoy Gateway uses."""
    assert patch["type"] == "StrategicMerge"
    local = (
        "patch",
        "--local",
        "-f",
        "-",
        "--type=strategic",
        "-p",
        json.dumps(patch["value"]),
        "-o",
        "json",
    )
    merged: Object = json.loads(cluster.kubectl(*local, text=json.dumps(made)).output)
    return merged


def deployment(gateway: Object, proxy: Object) -> Object:
    """The proxies. `replicas` is left to the HorizontalPodAutoscaler."""
    kubernetes = proxy["spec"]["provider"]["kubernetes"]
    settings = kubernetes["envoyDeployment"]
    drain = int(proxy["spec"]["shutdown"]["drainTimeout"].removesuffix("s"))
    pod = {
        **settings["pod"],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": drain + DRAIN_GRACE,
        "containers": [
            {
                "name": "envoy",
                "image": "docker.io/envoyproxy/envoy:distroless-v1.39.1",
                "securityContext": SECURITY,
                **settings["container"],
            },
            {
                "name": "shutdown-manager",
                "image": "docker.io/envoyproxy/gateway:v1.9.1",
                "securityContext": SECURITY,
                "resources": {"requests": SIDECAR_REQUESTS},
            },
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(gateway),
        "spec": {
            "strategy": settings["strategy"],
            "selector": {"matchLabels": _labels(gateway)},
            "template": {"metadata": {"labels": _labels(gateway)}, "spec": pod},
        },
    }


def most_replicas(proxy: Object) -> int:
    """The HorizontalPodAutoscaler's maximum."""
    most: int = proxy["spec"]["provider"]["kubernetes"]["envoyHpa"]["maxReplicas"]
    return most


def _metadata(gateway: Object) -> Object:
    """In the Gateway's own namespace and by its name (`deploy.type: GatewayNamespace`)."""
    metadata = gateway["metadata"]
    return {"name": metadata["name"], "namespace": metadata["namespace"], "labels": _labels(gateway)}


def _labels(gateway: Object) -> dict[str, str]:
    metadata = gateway["metadata"]
    return {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/component": "proxy",
        "app.kubernetes.io/managed-by": "envoy-gateway",
        "gateway.networking.k8s.io/gateway-name": metadata["name"],
        "gateway.envoyproxy.io/owning-gateway-name": metadata["name"],
        "gateway.envoyproxy.io/owning-gateway-namespace": metadata["namespace"],
    }
