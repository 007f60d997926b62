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

from generator.check.index import Index
from generator.check.selector import selects
from generator.check.shape import mapping, maps, text, texts
from generator.check.view import Elsewhere, Endpoint, Pod, Policy
from generator.render.model import Body, Obj

Port = int | str | None
"""A number, the name of a container port, or None for "some port"."""

Block = tuple[str, tuple[str, ...]]
"""An IPv4 range, and the ranges left out of it."""

ANYWHERE: Block = ("0.0.0.0/0", ())
"""What a rule that names no peers allows."""


def leaves(index: Index, source: Endpoint, target: Endpoint, port: Port, protocol: str = "TCP") -> bool:
    """Whether the policies of `source` let it connect to `port` of `target`."""
    return _passes(index, source, "to", target, target, port, protocol)


def enters(index: Index, source: Endpoint, target: Endpoint, port: Port, protocol: str = "TCP") -> bool:
    """Whether the policies of `target` let `source` connect to its `port`."""
    return _passes(index, target, "from", source, target, port, protocol)


def blocks(pod: Pod, port: int) -> list[Block]:
    """The address ranges that `pod` may connect to on TCP `port`."""
    found: list[Block] = []
    closed = False
    for policy in pod.policies:
        closed = closed or policy.egress is not None
        for rule in policy.egress or ():
            if _has_port(rule, None, port, "TCP"):
                found += _rule_blocks(rule)
    return found if closed else [ANYWHERE]


@lru_cache(maxsize=1024)
def covers(block: Block, network: str) -> bool:
    """Whether all of the IPv4 range `network` is in `block`. What is no IPv4 range covers nothing."""
    whole, wanted = _network(block[0]), _network(network)
    if whole is None or wanted is None or not wanted.subnet_of(whole):
        return False
    return not any(out is not None and out.overlaps(wanted) for out in map(_network, block[1]))


@lru_cache(maxsize=1024)
def overlaps(block: Block, network: str) -> bool:
    """Whether some of the IPv4 range `network` is in `block`."""
    whole, wanted = _network(block[0]), _network(network)
    if whole is None or wanted is None or not wanted.overlaps(whole):
        return False
    return not any(out is not None and wanted.subnet_of(out) for out in map(_network, block[1]))


def closed_side(index: Index, source: Elsewhere, target: Pod, port: int) -> str:
    """Which side refuses a connection, in words; empty if neither does."""
    if not enters(index, source, target, port):
        return f"no ingress rule of {target.namespace} lets {source.namespace} in"
    if not leaves(index, source, target, port):
        return f"no egress rule of {source.namespace} lets it out"
    return ""


def behind(index: Index, service: Obj, port: Body) -> Iterator[tuple[Pod, int]]:
    """(pod, container port) that a port of a Service leads to."""
    for pod in index.backends(service):
        number = pod.port(port.get("targetPort", port.get("port")))
        if number is not None:
            yield pod, number


def _passes(
    index: Index, judge: Endpoint, key: str, other: Endpoint, target: Endpoint, port: Port, protocol: str
) -> bool:
    """Whether the policies of one end, `judge`, let a connection with the `other` end pass.

    What no policy governs is open. Pods elsewhere are governed for sure only by a policy for all of their
    namespace, and unless a chart may have opened it.
    """
    certain = isinstance(judge, Pod)
    if isinstance(judge, Elsewhere) and judge.has_more_policies:
        return True
    closed = False
    for policy in judge.policies:
        rules = policy.egress if key == "to" else policy.ingress
        if rules is None:
            continue
        closed = closed or certain or not policy.selector
        for rule in rules:
            if _has_port(rule, target, port, protocol) and _has_peer(index, policy, rule.get(key), other):
                return True
    return not closed


def _has_peer(index: Index, policy: Policy, peers: Any, other: Endpoint) -> bool:
    if not peers:
        return True
    for peer in maps(peers):  # noqa: SIM110  a loop takes half the time of any(), and this is asked most
        if _names(index, policy.namespace, peer, other):
            return True
    return False


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
    if not ports or port is None:
        return True
    for item in ports:  # noqa: SIM110  as above
        if _is_port(item, target, port, protocol):
            return True
    return False


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


def _rule_blocks(rule: Body) -> Iterator[Block]:
    peers = maps(rule.get("to"))
    if not peers:
        yield ANYWHERE
    for peer in peers:
        block = mapping(peer.get("ipBlock"))
        if block:
            yield text(block.get("cidr")), tuple(texts(block.get("except")))


def _network(cidr: str) -> IPv4Network | None:
    """The range, or None for what is none (IPv6 included: these networks have no IPv6)."""
    try:
        return IPv4Network(cidr, strict=False)
    except ValueError:
        return None
