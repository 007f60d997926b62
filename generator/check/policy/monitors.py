"""Monitors: Prometheus finds what they name, and reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.check.index import Index
from generator.check.policy import reach
from generator.check.rule import Finding, Findings, object_rule
from generator.check.shape import dig, mapping, maps, text, texts
from generator.check.view import Pod
from generator.render.model import Obj

MONITORS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


@object_rule("DC-NET-005", "Monitors find what they watch, and its port", kinds=tuple(MONITORS))
def dangling_monitor(obj: Obj, index: Index) -> Findings:
    """A ServiceMonitor must select a rendered Service, a PodMonitor a pod, and each endpoint's `port` must
    be a port of it.

    Why: Prometheus drops it without an error, and alerts on what it does not see stay silent.

    Fix: use the labels and the port's name. In a namespace where pods come from a chart or a controller
    nothing is said when nothing is found: it is not rendered here.

    Sources: kube-linter dangling-servicemonitor.
    """
    namespaces = _watched_namespaces(obj, index)
    targets = _watched(obj, index, namespaces)
    if not targets and not any(index.is_open(namespace) for namespace in namespaces):
        yield Finding("it selects nothing", "use the labels of what it should watch")
    for endpoint in maps(dig(obj.body, "spec", MONITORS[obj.kind])):
        port = endpoint.get("port")
        for target in targets:
            names = _port_names(target)
            if port is not None and port not in names:
                whose = target.obj.name if isinstance(target, Pod) else target.name
                yield Finding(f"{whose} has no port named {port}", f"it has: {', '.join(names) or 'none'}")


@object_rule("DC-NET-009", "Prometheus reaches what it watches", kinds=tuple(MONITORS))
def unreachable_monitor(obj: Obj, index: Index) -> Findings:
    """Network policies must let the namespace of Prometheus connect to each port that a monitor names, on
    both sides.

    Why: a target behind a closed door is "down", and its alerts wake people for nothing.

    Fix: an ingress rule from the monitoring namespace to the metrics port, and an egress rule there. Pods
    that are not rendered here are left out.

    Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    if not index.prometheus_namespace:
        return
    prometheus = index.elsewhere(index.prometheus_namespace)
    targets = _watched(obj, index, _watched_namespaces(obj, index))
    for endpoint in maps(dig(obj.body, "spec", MONITORS[obj.kind])):
        for target in targets:
            for pod, port in _scraped(index, target, endpoint.get("port")):
                closed = reach.closed_side(index, prometheus, pod, port)
                if closed:
                    yield Finding(
                        f"Prometheus cannot reach port {port} of {pod.obj.kind} {pod.obj.name}: {closed}",
                        f"allow {index.prometheus_namespace} to connect",
                    )


def _watched_namespaces(obj: Obj, index: Index) -> list[str]:
    chosen = mapping(dig(obj.body, "spec", "namespaceSelector"))
    if chosen.get("any") is True:
        return sorted(index.owned_namespaces)
    return texts(chosen.get("matchNames")) or [obj.namespace]


def _watched(obj: Obj, index: Index, namespaces: list[str]) -> list[Obj | Pod]:
    selector = dig(obj.body, "spec", "selector")
    found: list[Obj | Pod] = []
    for namespace in namespaces:
        if obj.kind == "ServiceMonitor":
            found += index.service_labels.select(namespace, selector)
        else:
            found += index.pods_of(namespace, selector)
    return found


def _port_names(target: Obj | Pod) -> list[str]:
    if isinstance(target, Pod):
        return [text(port.get("name")) for item in target.containers for port in item.ports]
    return [text(port.get("name")) for port in maps(dig(target.body, "spec", "ports"))]


def _scraped(index: Index, target: Obj | Pod, name: Any) -> Iterator[tuple[Pod, int]]:
    """(pod, container port) behind the port `name` of a Service or pod."""
    if isinstance(target, Pod):
        number = target.port(name) if name else None
        if number is not None:
            yield target, number
        return
    for port in maps(dig(target.body, "spec", "ports")):
        if port.get("name") == name:
            yield from reach.behind(index, target, port)
