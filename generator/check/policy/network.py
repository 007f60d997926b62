"""Services and NetworkPolicies: nothing points nowhere, and what must talk can."""

from __future__ import annotations

from itertools import product
from typing import Any

from generator.check.index import Index
from generator.check.policy import reach
from generator.check.rule import Finding, Findings, environment_rule, object_rule, pod_rule
from generator.check.shape import dig, mapping, maps, text
from generator.check.view import Edge, Endpoint, Pod
from generator.render.model import Body, Obj

DNS_NAMESPACE = "kube-system"
DNS_PORT = 53


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
    for policies in index.policies.values():
        for policy in policies:
            if policy.selector and not index.governed(policy):
                yield Finding("it selects no pod", "use the labels of the pod", obj=policy.obj)
    for edge in index.edges:
        if not edge.others:
            message = f"a peer in `{edge.key}` is no pod: {_words(edge.peer)}"
            yield Finding(message, "use its labels", obj=edge.policy.obj)


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
    for edge in index.edges:
        for item in maps(edge.rule.get("ports")) or [{}]:
            if not _agreed(index, edge, item):
                yield _half(edge, item)


def _agreed(index: Index, edge: Edge, item: Body) -> bool:
    """Whether some of the endpoints that an edge names agrees with some that its policy governs.

    Where either is nobody, DC-NET-003 says so.
    """
    protocol = text(item.get("protocol")) or "TCP"
    own = index.governed(edge.policy)
    for here, there in product(own, edge.others):
        if edge.key == "from":
            passes = reach.leaves(index, there, here, _port_of(here, item), protocol)
        else:
            passes = reach.enters(index, here, there, _port_of(there, item), protocol)
        if passes:
            return True
    return not own or not edge.others


def _port_of(target: Endpoint, item: Body) -> reach.Port:
    """The port that a rule means, as a number where the target is known."""
    port = item.get("port")
    if isinstance(port, str) and isinstance(target, Pod):
        return target.port(port) or port
    return port if isinstance(port, (int, str)) else None


def _half(edge: Edge, item: Body) -> Finding:
    port = f"port {item['port']}" if "port" in item else "any port"
    if edge.key == "from":
        message = f"it lets {_words(edge.peer)} in to {port}, but no egress rule there lets it out"
        return Finding(message, "add the egress rule, or remove this one", obj=edge.policy.obj)
    message = f"it lets its pods out to {port} of {_words(edge.peer)}, but no ingress rule there lets them in"
    return Finding(message, "add the ingress rule, or remove this one", obj=edge.policy.obj)


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
