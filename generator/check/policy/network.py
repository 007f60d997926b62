"""Services, monitors and NetworkPolicies: nothing points nowhere, and what must talk can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.check.index import Elsewhere, Endpoint, Index, Pod, Policy, dig, mapping, maps, text, texts
from generator.check.policy import reach
from generator.check.rule import Finding, Findings, environment_rule, object_rule, pod_rule
from generator.render.model import Body, Obj

DNS_NAMESPACE = "kube-system"
DNS_PORT = 53
MONITORS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


@pod_rule("DC-NET-001", "Network policies govern every pod, in and out")
def isolated(pod: Pod, _index: Index) -> Findings:
    """NetworkPolicies must select every pod, at least one for ingress and one for egress.

    Why: a pod that no policy selects may be reached by anything, and reach anything.

    Fix: a default-deny policy in the namespace (DC-NET-002), and one for the app that names its edges.

    Sources: KSV-0038; C-0030; kube-linter non-isolated-pod; polaris missingNetworkPolicy.
    """
    for direction in ("ingress", "egress"):
        if all(getattr(policy, direction) is None for policy in pod.policies):
            yield Finding(f"no NetworkPolicy governs its {direction}", "add the app's NetworkPolicy")


@object_rule("DC-NET-002", "Every namespace denies by default", kinds=("Namespace",))
def default_deny(obj: Obj, index: Index) -> Findings:
    """Each namespace must have a NetworkPolicy with an empty `podSelector` for ingress and one for egress,
    and none such may allow everything.

    Why: then a new pod, of a chart too, can do nothing until somebody writes down what it needs.

    Fix: the app `foundation` renders one for each namespace.

    Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
    """
    general = [policy for policy in index.policies.get(obj.name, ()) if not policy.selector]
    for direction, key in (("ingress", "from"), ("egress", "to")):
        rules = [getattr(policy, direction) for policy in general if getattr(policy, direction) is not None]
        if not rules:
            yield Finding(
                f"no NetworkPolicy denies {direction} by default", "add one with an empty podSelector"
            )
        elif any(not rule.get(key) and not rule.get("ports") for given in rules for rule in given):
            yield Finding(f"a NetworkPolicy for all its pods allows all {direction}", "name peers or ports")


@environment_rule("DC-NET-003", "Network policies name pods that exist", kinds=("NetworkPolicy",))
def dangling_policy(index: Index) -> Findings:
    """A policy's `podSelector`, and the selectors of its peers, must select a rendered pod.

    Why: a policy for no pod protects nothing, and a peer that is nobody is a typo: the real one is refused.

    Fix: use the pod's labels. Where pods may come from a chart or a controller nothing is said: they are
    not rendered here.

    Sources: kube-linter dangling-networkpolicy, dangling-networkpolicypeer-podselector.
    """
    for policy in _policies(index):
        if policy.selector and not index.governed(policy):
            yield Finding("it selects no pod", "use the labels of the pod", obj=policy.obj)
        for key, rule in _rules(policy):
            for peer in maps(rule.get(key)):
                if "ipBlock" not in peer and not index.peers(policy, peer):
                    yield Finding(
                        f"a peer in `{key}` is no pod: {_words(peer)}", "use its labels", obj=policy.obj
                    )


@object_rule("DC-NET-004", "Services have pods", kinds=("Service",))
def dangling_service(obj: Obj, index: Index) -> Findings:
    """A Service's `selector` must select a rendered pod of its namespace.

    Why: a Service without pods refuses every connection.

    Fix: use the pod's labels. Where pods may come from a chart or a controller nothing is said: they are
    not rendered here.

    Sources: kube-linter dangling-service.
    """
    selector = dig(obj.body, "spec", "selector")
    if selector and not index.backends(obj) and not index.is_open(obj.namespace):
        yield Finding(f"its selector selects no pod: {_labels(selector)}", "use the labels of the pod")


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


@object_rule("DC-NET-006", "Disruption budgets protect something", kinds=("PodDisruptionBudget",))
def dangling_budget(obj: Obj, index: Index) -> Findings:
    """A PodDisruptionBudget's `selector` must select a rendered pod of its namespace.

    Why: a budget for no pod protects nothing.

    Fix: use the pod's labels. Where pods may come from a chart or a controller nothing is said: they are
    not rendered here.

    Sources: kube-linter dangling checks, the same idea.
    """
    if not index.pods_of(obj.namespace, dig(obj.body, "spec", "selector")) and not index.is_open(
        obj.namespace
    ):
        yield Finding("it selects no pod", "use the labels of the pod")


@object_rule("DC-NET-007", "Services send to ports that their pods have", kinds=("Service",))
def target_ports(obj: Obj, index: Index) -> Findings:
    """Each `targetPort` (`port` if absent) must be a port of a container, by name or number, in every pod
    behind the Service.

    Why: a name that no container has makes a port without endpoints; a wrong number, refused connections.

    Fix: name the port in the container and use the name in the Service.

    Sources: kube-linter invalid-target-ports.
    """
    for pod in index.backends(obj):
        declared = [
            port.get(key)
            for item in pod.containers
            for port in item.ports
            for key in ("name", "containerPort")
        ]
        for port in maps(dig(obj.body, "spec", "ports")):
            target = port.get("targetPort", port.get("port"))
            if target not in declared:
                yield Finding(
                    f"{pod.obj.kind} {pod.obj.name} has no port {target}", "use a port of its containers"
                )


@environment_rule("DC-NET-008", "Both ends of a connection allow it", kinds=("NetworkPolicy",))
def one_sided(index: Index) -> Findings:
    """For each port of a rule and each peer that it names, a policy of the other side must allow the same
    connection.

    Why: traffic needs both the source's egress and the target's ingress. A rule whose other half is missing
    allows nothing, and looks as if it did.

    Fix: add the other half, or remove this one. Pods of charts and controllers are not rendered here; any
    policy of their namespace may be theirs.

    Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    for policy in _policies(index):
        own = index.governed(policy)
        for key, rule in _rules(policy):
            ports = maps(rule.get("ports")) or [{}]
            for peer in maps(rule.get(key)):
                others = index.peers(policy, peer)
                for item in ports:
                    if own and others and not _agreed(index, key, own, others, item):
                        yield _half(key, peer, item, policy)


def _agreed(index: Index, key: str, own: list[Endpoint], others: list[Endpoint], item: Body) -> bool:
    """Whether some of the endpoints that a rule names agrees with some that its policy governs."""
    protocol = text(item.get("protocol")) or "TCP"
    if key == "from":
        return any(
            reach.leaves(index, other, mine, _port_of(mine, item), protocol)
            for other in others
            for mine in own
        )
    return any(
        reach.enters(index, mine, other, _port_of(other, item), protocol) for other in others for mine in own
    )


def _port_of(target: Endpoint, item: Body) -> reach.Port:
    """The port that a rule means, as a number where the target is known."""
    port = item.get("port")
    if isinstance(port, str) and isinstance(target, Pod):
        return target.port(port) or port
    return port if isinstance(port, (int, str)) else None


def _half(key: str, peer: Body, item: Body, policy: Policy) -> Finding:
    port = f"port {item['port']}" if "port" in item else "any port"
    if key == "from":
        return Finding(
            f"it lets {_words(peer)} in to {port}, but no egress rule there lets it out",
            "add the egress rule, or remove this one",
            obj=policy.obj,
        )
    return Finding(
        f"it lets its pods out to {port} of {_words(peer)}, but no ingress rule there lets them in",
        "add the ingress rule, or remove this one",
        obj=policy.obj,
    )


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
                closed = closed_side(index, prometheus, pod, port)
                if closed:
                    yield Finding(
                        f"Prometheus cannot reach port {port} of {pod.obj.kind} {pod.obj.name}: {closed}",
                        f"allow {index.prometheus_namespace} to connect",
                    )


def closed_side(index: Index, source: Elsewhere, target: Pod, port: int) -> str:
    """Which side refuses a connection, in words; empty if neither does."""
    if not reach.enters(index, source, target, port):
        return f"no ingress rule of {target.namespace} lets {source.namespace} in"
    if not reach.leaves(index, source, target, port):
        return f"no egress rule of {source.namespace} lets it out"
    return ""


@pod_rule("DC-NET-010", "Who has the database's password can reach it, and nobody else")
def database_path(pod: Pod, index: Index) -> Findings:
    """A pod that mounts credentials of the database must have egress to its port in every data subnet; a
    pod without them must have no rule that names those addresses.

    Why: after a failover the database answers from another zone, so one subnet is not enough; and whoever
    needs no database should not be able to try passwords on it.

    Fix: an egress rule with an `ipBlock` for each of `env.aws.network.data_subnets`, to
    `env.database.port`.

    Sources: the tiers of this repository's network; secrets named `…-database` hold the credentials.
    """
    subnets, port = index.data_subnets.items(), index.environment.database.port
    blocks = reach.blocks(pod, port)
    if _holds_credentials(pod, index):
        shut = [zone for zone, subnet in subnets if not any(reach.covers(block, subnet) for block in blocks)]
        if shut:
            yield Finding(
                f"it has the database's credentials, but no egress to port {port} in zone {', '.join(shut)}",
                "add an ipBlock for each of env.aws.network.data_subnets",
            )
        return
    # A rule without peers, or no policy at all, is a matter of DC-NET-001 and DC-NET-002.
    written = [block for block in blocks if block != reach.ANYWHERE]
    if any(reach.overlaps(block, subnet) for _, subnet in subnets for block in written):
        yield Finding(
            f"it may connect to the database (port {port} in the data subnets) but has no credentials for it",
            "remove the egress rule, or leave the data subnets out with `except`",
        )


def _holds_credentials(pod: Pod, index: Index) -> bool:
    for volume in maps(pod.spec.get("volumes")):
        names = [dig(volume, "secret", "secretName")]
        names += [dig(source, "secret", "name") for source in maps(dig(volume, "projected", "sources"))]
        if any((pod.namespace, name) in index.database_secrets for name in names if isinstance(name, str)):
            return True
    return False


@pod_rule("DC-NET-011", "Who may connect out can look names up")
def resolves_names(pod: Pod, index: Index) -> Findings:
    """A pod with any egress rule must be allowed port 53, UDP and TCP, of the namespace kube-system.

    Why: every connection begins with a name; without DNS each fails after a long wait. TCP is for answers
    that are too long.

    Fix: an egress rule to `kubernetes.io/metadata.name: kube-system`, ports 53/UDP and 53/TCP.

    Sources: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
    """
    if not any(policy.egress for policy in pod.policies):
        return
    resolver = index.elsewhere(DNS_NAMESPACE)
    closed = [name for name in ("UDP", "TCP") if not reach.leaves(index, pod, resolver, DNS_PORT, name)]
    if closed:
        yield Finding(
            f"it may connect out but not look names up: 53/{' and 53/'.join(closed)} is closed", "allow DNS"
        )


@object_rule("DC-NET-012", "Services stay inside the cluster", kinds=("Service",))
def exposed(obj: Obj, _index: Index) -> Findings:
    """A Service must be of type ClusterIP, without `externalIPs`.

    Why: there is one way in, the load balancer in front of the Gateway, with TLS, limits and logs.
    `ExternalName` hands a name of the cluster to someone else's DNS.

    Fix: remove `type`; add an HTTPRoute.

    Sources: KSV-0108; kube-linter exposed-services.
    """
    spec = mapping(obj.body.get("spec"))
    kind = spec.get("type", "ClusterIP")
    if kind != "ClusterIP":
        yield Finding(f"it is of type {kind}", "remove `type`, and add an HTTPRoute")
    if spec.get("externalIPs"):
        yield Finding("it has externalIPs", "remove them, and add an HTTPRoute")


def _policies(index: Index) -> Iterator[Policy]:
    for policies in index.policies.values():
        yield from policies


def _rules(policy: Policy) -> Iterator[tuple[str, Body]]:
    """("from", rule) for ingress and ("to", rule) for egress."""
    for rule in policy.ingress or ():
        yield "from", rule
    for rule in policy.egress or ():
        yield "to", rule


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
            yield from behind(index, target, port)


def behind(index: Index, service: Obj, port: Body) -> Iterator[tuple[Pod, int]]:
    """(pod, container port) that a port of a Service leads to."""
    for pod in index.backends(service):
        number = pod.port(port.get("targetPort", port.get("port")))
        if number is not None:
            yield pod, number


def _labels(selector: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in mapping(selector).items())


def _words(peer: Body) -> str:
    """A peer of a rule, for a message."""
    pods = _labels(dig(peer, "podSelector", "matchLabels"))
    words = f"pods with {pods}" if pods else "pods"
    if "namespaceSelector" in peer:
        namespaces = _labels(dig(peer, "namespaceSelector", "matchLabels"))
        words += f" of namespaces with {namespaces}" if namespaces else " of any namespace"
    return words
