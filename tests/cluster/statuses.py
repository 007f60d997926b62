"""The status that a custom resource gets from its real controller once all is well, as pure functions.

No controller of a chart runs in a test bed. Without a status Argo CD would wait forever, so these stand in.
They prove nothing about the real controllers. An object with the annotation `bed/status: hold` is left alone,
one with `bed/status: fail` gets the status of a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
Status = Callable[[Object, str], Object]
"""(object, now as in metadata.creationTimestamp) → its status, without what an earlier one said."""

ANNOTATION = "bed/status"
ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"


def is_held(item: Object) -> bool:
    """Whether a test wants to give this object its status itself."""
    return _annotation(item) == "hold"


def fails(item: Object) -> bool:
    """Whether a test wants this object to fail."""
    return _annotation(item) == "fail"


def is_current(item: Object) -> bool:
    """Whether its status says what it should, for its present generation and annotation."""
    said = item.get("status", {})
    conditions = [*said.get("conditions", []), *_nested(said)]
    generation = item["metadata"].get("generation", 1)
    wanted = "False" if fails(item) else "True"
    return (
        bool(conditions)
        and all(
            each.get("observedGeneration", generation) == generation and each["status"] == wanted
            for each in conditions
            if each.get("reason") in REASONS
        )
        and any(each.get("reason") in REASONS for each in conditions)
    )


REASONS = {"StandIn", "StandInFailure"}
"""The reason of every condition that was made here: whoever looks sees what it is."""


def ready(item: Object, now: str) -> Object:
    """One condition `Ready`: External Secrets and cert-manager."""
    return {"conditions": [_condition(item, "Ready", now)]}


def external_secret(item: Object, now: str) -> Object:
    """Synced just now."""
    name = item["spec"].get("target", {}).get("name") or item["metadata"]["name"]
    generation = item["metadata"].get("generation", 1)
    synced = {
        "refreshTime": now,
        "syncedResourceVersion": f"{generation}-stand-in",
        "binding": {"name": name},
    }
    condition = _condition(item, "Ready", now)
    condition.pop("observedGeneration")  # the kind has no such field
    return {"conditions": [condition], **({} if fails(item) else synced)}


def store(item: Object, now: str) -> Object:
    """A store whose provider answers."""
    condition = _condition(item, "Ready", now)
    condition.pop("observedGeneration")
    return {"conditions": [condition], "capabilities": "ReadWrite"}


def gateway_class(item: Object, now: str) -> Object:
    """Accepted by its controller."""
    return {"conditions": [_condition(item, "Accepted", now)]}


def gateway(item: Object, now: str) -> Object:
    """Every listener programmed, at an address that leads nowhere."""
    listeners = [
        {
            "name": listener["name"],
            "attachedRoutes": 1,
            "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
            "conditions": [
                _condition(item, kind, now) for kind in ("Accepted", "Programmed", "ResolvedRefs")
            ],
        }
        for listener in item["spec"]["listeners"]
    ]
    return {
        "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],  # RFC 5737: for documentation
        "conditions": [_condition(item, kind, now) for kind in ("Accepted", "Programmed")],
        "listeners": listeners,
    }


def route(item: Object, now: str) -> Object:
    """Accepted by every parent that it names."""
    parents = [
        {
            "parentRef": parent,
            "controllerName": ENVOY_GATEWAY,
            "conditions": [_condition(item, kind, now) for kind in ("Accepted", "ResolvedRefs")],
        }
        for parent in item["spec"]["parentRefs"]
    ]
    return {"parents": parents}


def policy(item: Object, now: str) -> Object:
    """Taken up for everything that it targets."""
    spec = item["spec"]
    targets = spec.get("targetRefs") or [spec["targetRef"]]
    ancestors = [
        {
            "ancestorRef": {**target, "namespace": item["metadata"]["namespace"]},
            "controllerName": ENVOY_GATEWAY,
            "conditions": [_condition(item, "Accepted", now)],
        }
        for target in targets
    ]
    return {"ancestors": ancestors}


def operated(item: Object, now: str) -> Object:
    """Prometheus and Alertmanager: as many replicas as asked for, all available."""
    replicas = item["spec"].get("replicas", 1)
    counted = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
    conditions = [_condition(item, kind, now) for kind in ("Available", "Reconciled")]
    return {"paused": False, "unavailableReplicas": 0, **counted, "conditions": conditions}


STATUSES: dict[str, Status] = {
    "external-secrets.io/v1/clustersecretstores": store,
    "external-secrets.io/v1/secretstores": store,
    "external-secrets.io/v1/externalsecrets": external_secret,
    "cert-manager.io/v1/clusterissuers": ready,
    "cert-manager.io/v1/issuers": ready,
    "cert-manager.io/v1/certificates": ready,
    "gateway.networking.k8s.io/v1/gatewayclasses": gateway_class,
    "gateway.networking.k8s.io/v1/gateways": gateway,
    "gateway.networking.k8s.io/v1/httproutes": route,
    "gateway.envoyproxy.io/v1alpha1/backendtrafficpolicies": policy,
    "gateway.envoyproxy.io/v1alpha1/clienttrafficpolicies": policy,
    "gateway.envoyproxy.io/v1alpha1/securitypolicies": policy,
    "gateway.envoyproxy.io/v1alpha1/envoyextensionpolicies": policy,
    "monitoring.coreos.com/v1/prometheuses": operated,
    "monitoring.coreos.com/v1/alertmanagers": operated,
}
"""Resource → its status. What is not here has none that Argo CD looks at."""


def secret(item: Object) -> Object | None:
    """The Secret that an ExternalSecret or a Certificate leads to, with stand-in values; None for others."""
    if item["kind"] == "ExternalSecret":
        spec = item["spec"]
        target = spec.get("target", {})
        template = target.get("template", {})
        keys = {entry["secretKey"] for entry in spec.get("data", [])} | set(template.get("data", {}))
        return _secret(
            item, target.get("name") or item["metadata"]["name"], keys, template.get("type", "Opaque")
        )
    if item["kind"] == "Certificate":
        keys = {"tls.crt", "tls.key", "ca.crt"}
        return _secret(item, item["spec"]["secretName"], keys, "kubernetes.io/tls")
    return None


def _secret(item: Object, name: str, keys: set[str], kind: str) -> Object:
    metadata = item["metadata"]
    owner = {
        **{key: item[key] for key in ("apiVersion", "kind")},
        **{key: metadata[key] for key in ("name", "uid")},
        "controller": True,
        "blockOwnerDeletion": True,
    }
    own: Object = {"name": name, "namespace": metadata["namespace"], "ownerReferences": [owner]}
    labels = item["spec"].get("target", {}).get("template", {}).get("metadata", {}).get("labels")
    if labels:
        own["labels"] = labels
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": own,
        "type": kind,
        "stringData": dict.fromkeys(sorted(keys) or ["stand-in"], "stand-in"),
    }


def _condition(item: Object, kind: str, now: str) -> Object:
    failed = fails(item)
    return {
        "type": kind,
        "status": "False" if failed else "True",
        "reason": "StandInFailure" if failed else "StandIn",
        "message": "fails, as its annotation asks" if failed else "said by the test bed, no controller runs",
        "lastTransitionTime": now,
        "observedGeneration": item["metadata"].get("generation", 1),
    }


def _nested(said: Object) -> list[Object]:
    groups = [*said.get("listeners", []), *said.get("parents", []), *said.get("ancestors", [])]
    return [condition for group in groups for condition in group.get("conditions", [])]


def _annotation(item: Object) -> str | None:
    found: str | None = item["metadata"].get("annotations", {}).get(ANNOTATION)
    return found
