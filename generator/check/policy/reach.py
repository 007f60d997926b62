"""What NetworkPolicies let through, as a question about two endpoints.

Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/. A connection needs the
egress side of its source and the ingress side of its target; a side that no policy governs is open. Pods
that are not rendered here (`Elsewhere`) are given the benefit of the doubt: any policy of their namespace
may be theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Any

from generator.check.index import (
    Elsewhere,
    Endpoint,
    Index,
    Pod,
    Policy,
    dig,
    mapping,
    maps,
    selects,
    text,
    texts,
)
from generator.render.model import Body

Port = int | str | None
"""A number, the name of a container port, or None for "some port"."""


def leaves(index: Index, source: Endpoint, target: Endpoint, port: Port, protocol: str = "TCP") -> bool:
    """Whether the policies of `source` let it connect to `port` of `target`."""
    if not _is_closed(source, "egress"):
        return True
    return any(
        _permits(index, policy, rule, "to", target, target, port, protocol)
        for policy in source.policies
        for rule in policy.egress or ()
    )


def enters(index: Index, source: Endpoint, target: Endpoint, port: Port, protocol: str = "TCP") -> bool:
    """Whether the policies of `target` let `source` connect to its `port`."""
    if not _is_closed(target, "ingress"):
        return True
    return any(
        _permits(index, policy, rule, "from", source, target, port, protocol)
        for policy in target.policies
        for rule in policy.ingress or ()
    )


def governed(index: Index, policy: Policy) -> Iterator[Endpoint]:
    """The endpoints that a policy selects."""
    return _endpoints(index, policy.namespace, policy.selector)


def named(index: Index, policy: Policy, peer: Body) -> Iterator[Endpoint]:
    """The endpoints that a peer of one of a policy's rules names; none for an address range."""
    if "ipBlock" in peer:
        return
    namespaces = [policy.namespace]
    if "namespaceSelector" in peer:
        namespaces = index.namespaces_of(peer["namespaceSelector"])
    for namespace in namespaces:
        yield from _endpoints(index, namespace, peer.get("podSelector", {}))


def reaches_network(pod: Pod, network: str, port: int) -> bool:
    """Whether the policies of `pod` let it connect to TCP `port` everywhere in the IPv4 range `network`."""
    if not _is_closed(pod, "egress"):
        return True
    return any(
        _has_port(rule, None, port, "TCP") and _covers(rule, network)
        for policy in pod.policies
        for rule in policy.egress or ()
    )


def touches_network(pod: Pod, network: str, port: int) -> bool:
    """Whether a rule of `pod` names addresses that overlap the IPv4 range `network` on TCP `port`."""
    return any(
        _has_port(rule, None, port, "TCP") and _overlaps(rule, network)
        for policy in pod.policies
        for rule in policy.egress or ()
    )


def _endpoints(index: Index, namespace: str, selector: Any) -> Iterator[Endpoint]:
    yield from index.pods_of(namespace, selector)
    if index.is_open(namespace):
        yield index.elsewhere(namespace)


def _is_closed(endpoint: Endpoint, direction: str) -> bool:
    """Whether only what a rule permits passes.

    Pods elsewhere are closed if a policy selects all of their namespace and no chart may have opened it.
    """
    if isinstance(endpoint, Elsewhere) and endpoint.has_more_policies:
        return False
    certain = isinstance(endpoint, Pod)
    return any(
        getattr(policy, direction) is not None and (certain or not policy.selector)
        for policy in endpoint.policies
    )


def _permits(
    index: Index,
    policy: Policy,
    rule: Body,
    key: str,
    other: Endpoint,
    target: Endpoint,
    port: Port,
    protocol: str,
) -> bool:
    if not _has_port(rule, target, port, protocol):
        return False
    peers = maps(rule.get(key))
    return not peers or any(_names(index, policy.namespace, peer, other) for peer in peers)


def _names(index: Index, namespace: str, peer: Body, other: Endpoint) -> bool:
    if "ipBlock" in peer:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], index.labels_of_namespace(other.namespace)):
            return False
    elif other.namespace != namespace:
        return False
    if isinstance(other, Elsewhere) or "podSelector" not in peer:
        return True
    return selects(peer["podSelector"], other.labels)


def _has_port(rule: Body, target: Endpoint | None, port: Port, protocol: str) -> bool:
    ports = maps(rule.get("ports"))
    return not ports or port is None or any(_is_port(item, target, port, protocol) for item in ports)


def _is_port(item: Body, target: Endpoint | None, port: Port, protocol: str) -> bool:
    if item.get("protocol", "TCP") != protocol:
        return False
    wanted = item.get("port")
    if isinstance(wanted, str) and isinstance(target, Pod):
        wanted = target.port(wanted)
        return wanted == port
    if wanted is None or wanted == port or isinstance(wanted, str) != isinstance(port, str):
        return True
    end = item.get("endPort")
    return (
        isinstance(port, int) and isinstance(wanted, int) and isinstance(end, int) and wanted <= port <= end
    )


@lru_cache(maxsize=256)
def _network(cidr: str) -> IPv4Network | None:
    """The range, or None for what is none (IPv6 included: these networks have no IPv6)."""
    try:
        return IPv4Network(cidr, strict=False)
    except ValueError:
        return None


def _blocks(rule: Body) -> Iterator[tuple[IPv4Network, list[IPv4Network]]]:
    """(range, ranges left out of it) of each address peer."""
    for peer in maps(rule.get("to")):
        block = mapping(peer.get("ipBlock"))
        whole = _network(text(block.get("cidr")))
        if whole is not None:
            yield whole, [out for out in map(_network, texts(dig(block, "except"))) if out is not None]


def _covers(rule: Body, network: str) -> bool:
    wanted = _network(network)
    if not maps(rule.get("to")):
        return True
    return wanted is not None and any(
        wanted.subnet_of(block) and not any(out.overlaps(wanted) for out in excluded)
        for block, excluded in _blocks(rule)
    )


def _overlaps(rule: Body, network: str) -> bool:
    wanted = _network(network)
    return wanted is not None and any(
        wanted.overlaps(block) and not any(wanted.subnet_of(out) for out in excluded)
        for block, excluded in _blocks(rule)
    )
