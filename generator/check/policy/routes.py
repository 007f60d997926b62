"""The way in: Gateways, routes, and what attaches to them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.check.index import ROUTES, Index
from generator.check.policy.reach import behind, closed_side
from generator.check.rule import Finding, Findings, object_rule
from generator.check.selector import selects
from generator.check.shape import dig, mapping, maps, text, texts
from generator.check.view import Parent, Route
from generator.render.model import Body, Obj

ENCRYPTED = ("HTTPS", "TLS")
ISSUER_ANNOTATIONS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
GATEWAY_GROUP = "gateway.networking.k8s.io"
ATTACHED = ("BackendTrafficPolicy", "ClientTrafficPolicy", "EnvoyExtensionPolicy", "SecurityPolicy")


def _route(obj: Obj, index: Index) -> Route:
    return index.routes[obj.kind, obj.namespace, obj.name]


def _listeners(gateway: Obj) -> list[Body]:
    return maps(dig(gateway.body, "spec", "listeners"))


@object_rule("DC-NET-013", "Gateways speak TLS with a certificate that is issued", kinds=("Gateway",))
def gateway_tls(obj: Obj, index: Index) -> Findings:
    """A Gateway must have a listener for HTTPS; each such listener ends TLS and names certificates that a
    rendered Certificate, or the Gateway's cert-manager annotation, writes. Besides HTTPS and TLS only HTTP
    is allowed, for redirects (DC-NET-016).

    Why: logins, addresses and payments of customers pass here.

    Fix: `tls: {mode: Terminate, certificateRefs: [{name: …}]}` and a Certificate with that `secretName`.

    Sources: polaris gatewayTLSMissing.
    """
    listeners = _listeners(obj)
    if not any(listener.get("protocol") == "HTTPS" for listener in listeners):
        yield Finding("it has no HTTPS listener", "add one")
    annotations = mapping(dig(obj.body, "metadata", "annotations"))
    issued = any(name in annotations for name in ISSUER_ANNOTATIONS)
    for listener in listeners:
        name, protocol = text(listener.get("name")), text(listener.get("protocol"))
        if protocol not in (*ENCRYPTED, "HTTP"):
            yield Finding(f"listener {name} speaks {protocol} without TLS", "use HTTPS")
        elif protocol in ENCRYPTED:
            for problem in _certificate_problems(obj, listener, index, issued):
                yield Finding(f"listener {name} {problem}", "name a certificate in `tls.certificateRefs`")


def _certificate_problems(gateway: Obj, listener: Body, index: Index, issued: bool) -> Iterator[str]:
    if dig(listener, "tls", "mode") == "Passthrough":
        yield "passes TLS through unread"
        return
    references = maps(dig(listener, "tls", "certificateRefs"))
    if not references:
        yield "has no certificate"
    for reference in references:
        namespace = text(reference.get("namespace")) or gateway.namespace
        name = text(reference.get("name"))
        if not issued and (namespace, name) not in index.written_secrets:
            yield f"uses the certificate {name}, which no Certificate writes"


@object_rule("DC-NET-014", "Gateways say whose routes they take", kinds=("Gateway",))
def gateway_routes(obj: Obj, _index: Index) -> Findings:
    """A listener's `allowedRoutes.namespaces.from` must not be `All`.

    Why: any namespace could otherwise publish a host name of the shop.

    Fix: `from: Selector` with the labels of the namespaces that may, or `Same`.

    Sources: polaris gatewayAllowedRoutesAll.
    """
    for listener in _listeners(obj):
        if dig(listener, "allowedRoutes", "namespaces", "from") == "All":
            yield Finding(
                f"listener {text(listener.get('name'))} takes routes of every namespace",
                "write `from: Selector`",
            )


@object_rule("DC-NET-015", "Hosts are named, without wildcards", kinds=("Gateway", *ROUTES))
def hosts(obj: Obj, index: Index) -> Findings:
    """Each route must have `hostnames`, and neither they nor a listener's `hostname` may have a `*`. A
    listener may be without one: AWS' load balancer sends no server name by which it could be chosen.

    Why: a route without a host answers for all of them, those that someone points here included.

    Fix: `{{ env.domain }}`.

    Sources: polaris httpRouteWildcardOrEmptyHost.
    """
    if obj.kind == "Gateway":
        for listener in _listeners(obj):
            host = text(listener.get("hostname"))
            if "*" in host:
                yield Finding(
                    f"listener {text(listener.get('name'))} is for {host}", "name the host, or none"
                )
        return
    names = _route(obj, index).hosts
    if not names or any("*" in name for name in names):
        yield Finding(f"it is for {', '.join(names) or 'any host'}", "name the host")


@object_rule("DC-NET-016", "Plain HTTP only redirects", kinds=ROUTES)
def plain_http(obj: Obj, index: Index) -> Findings:
    """Every rule of a route that attaches to an HTTP listener must be a redirect to https, without
    backends. A route whose `parentRefs` name no `sectionName` attaches to every listener.

    Why: what is sent in the clear can be read and changed on the way.

    Fix: `sectionName` of the HTTPS listener; one route on the HTTP listener with `requestRedirect: {scheme:
    https}`.

    Sources: polaris httpRouteInsecureListener.
    """
    plain = [
        text(listener.get("name"))
        for parent in _route(obj, index).parents
        for listener in parent.listeners
        if listener.get("protocol") == "HTTP" and _admits(index, parent, listener, obj)
    ]
    if plain and not all(map(_redirects, maps(dig(obj.body, "spec", "rules")))):
        yield Finding(
            f"it serves over plain HTTP on listener {', '.join(plain)}",
            "write the `sectionName` of the HTTPS listener",
        )


def _redirects(rule: Body) -> bool:
    to_https = any(dig(item, "requestRedirect", "scheme") == "https" for item in maps(rule.get("filters")))
    return to_https and not rule.get("backendRefs")


@object_rule(
    "DC-NET-017", "What is taken from another namespace is granted there", kinds=("Gateway", *ROUTES)
)
def granted(obj: Obj, index: Index) -> Findings:
    """A `backendRefs` or `certificateRefs` entry with another `namespace` needs a ReferenceGrant there.

    Why: without it the reference is refused, and the route answers 500.

    Fix: keep route and Service in one namespace, or render a ReferenceGrant in the other.

    Sources: https://gateway-api.sigs.k8s.io/api-types/referencegrant/; polaris
    httpRouteCrossNamespaceBackendRef.
    """
    for kind, reference in _foreign(obj, index):
        namespace, name = text(reference.get("namespace")), text(reference.get("name"))
        if namespace not in ("", obj.namespace) and not _is_granted(obj, index, kind, namespace, name):
            yield Finding(
                f"it refers to {kind} {name} of namespace {namespace}, which does not grant it",
                "move it there, or add a ReferenceGrant",
            )


def _foreign(obj: Obj, index: Index) -> Iterator[tuple[str, Body]]:
    """(kind, reference) of everything that a Gateway or route takes from elsewhere, parents excepted."""
    if obj.kind == "Gateway":
        for listener in _listeners(obj):
            for reference in maps(dig(listener, "tls", "certificateRefs")):
                yield text(reference.get("kind")) or "Secret", reference
        return
    for reference in _route(obj, index).backends:
        yield text(reference.get("kind")) or "Service", reference


def _is_granted(obj: Obj, index: Index, kind: str, namespace: str, name: str) -> bool:
    wanted = {"group": GATEWAY_GROUP, "kind": obj.kind, "namespace": obj.namespace}
    for grant in index.of("ReferenceGrant"):
        if grant.namespace != namespace:
            continue
        spec = mapping(grant.body.get("spec"))
        to_it = any(
            item.get("kind") == kind and item.get("name", name) == name for item in maps(spec.get("to"))
        )
        if to_it and wanted in maps(spec.get("from")):
            return True
    return False


@object_rule("DC-NET-018", "Routes attach to a Gateway that lets them", kinds=ROUTES)
def parents(obj: Obj, index: Index) -> Findings:
    """Each of `parentRefs` must name a rendered Gateway and, by `sectionName`, a listener of it, whose
    `allowedRoutes` admit the route's namespace and whose `hostname` is one of the route's.

    Why: otherwise the route is accepted by the API server and answers nobody.

    Fix: correct the reference, or label the namespace as the listener asks.

    Sources: https://gateway-api.sigs.k8s.io/api-types/httproute/; kube-linter dangling-ingress, the same
    idea.
    """
    if not maps(dig(obj.body, "spec", "parentRefs")):
        yield Finding("it attaches to nothing", "name a Gateway in `parentRefs`")
    for parent in _route(obj, index).parents:
        name = text(parent.reference.get("name"))
        if parent.gateway is None:
            yield Finding(f"its parent, Gateway {name}, does not exist", "correct `parentRefs`")
        elif not parent.listeners:
            reference = parent.reference
            section = reference.get("sectionName") or reference.get("port")
            yield Finding(f"Gateway {name} has no listener {section}", "correct `sectionName`")
        elif not any(_admits(index, parent, listener, obj) for listener in parent.listeners):
            yield Finding(
                f"Gateway {name} takes no routes of namespace {obj.namespace}",
                "label the namespace as the listener asks",
            )
        elif not any(_shares_host(listener, obj) for listener in parent.listeners):
            yield Finding(f"Gateway {name} does not listen for its host names", "use the listener's host")


def _admits(index: Index, parent: Parent, listener: Body, route: Obj) -> bool:
    """Whether a listener takes routes of this one's namespace."""
    namespaces = mapping(dig(listener, "allowedRoutes", "namespaces"))
    whose = namespaces.get("from", "Same")
    if whose == "Selector":
        return selects(namespaces.get("selector"), index.labels_of_namespace(route.namespace))
    return whose == "All" or (whose == "Same" and _namespace(parent) == route.namespace)


def _namespace(parent: Parent) -> str:
    return parent.gateway.namespace if parent.gateway else ""


def _shares_host(listener: Body, route: Obj) -> bool:
    host = text(listener.get("hostname"))
    names = texts(dig(route.body, "spec", "hostnames"))
    return not host or not names or any(_same_host(host, name) or _same_host(name, host) for name in names)


def _same_host(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


@object_rule("DC-NET-019", "Routes lead to a Service and port that exist", kinds=ROUTES)
def backends(obj: Obj, index: Index) -> Findings:
    """Each of `backendRefs` must name a rendered Service (or another rendered kind) and one of its ports.

    Why: otherwise the route answers 500, and nothing else says why.

    Fix: correct the name or the port. In a namespace where charts or controllers make Services nothing is
    said of unknown ones.

    Sources: kube-linter dangling-ingress, the same idea.
    """
    for reference in _route(obj, index).backends:
        kind = text(reference.get("kind")) or "Service"
        namespace = text(reference.get("namespace")) or obj.namespace
        name, port = text(reference.get("name")), reference.get("port")
        target = index.get(kind, namespace, name)
        if target is None:
            if not index.is_open(namespace):
                yield Finding(f"there is no {kind} {name} in namespace {namespace}", "correct `backendRefs`")
        elif kind == "Service":
            ports = [item.get("port") for item in maps(dig(target.body, "spec", "ports"))]
            if port not in ports:
                yield Finding(
                    f"Service {name} has no port {port}", f"it has: {', '.join(map(str, ports)) or 'none'}"
                )


@object_rule("DC-NET-020", "The Gateway reaches what its routes lead to", kinds=ROUTES)
def unreachable_backend(obj: Obj, index: Index) -> Findings:
    """Network policies must let the Gateway's namespace, where its proxies run, connect to the container
    port behind each of `backendRefs`, on both sides.

    Why: otherwise every request waits and ends in 503.

    Fix: an ingress rule from the Gateway's namespace in the app's NetworkPolicy, and an egress rule in the
    Gateway's.

    Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    parents = _route(obj, index).parents
    gateways = {parent.gateway.namespace for parent in parents if parent.gateway is not None}
    for namespace in sorted(gateways):
        proxies = index.elsewhere(namespace)
        for reference in _route(obj, index).backends:
            target = text(reference.get("namespace")) or obj.namespace
            service = index.get("Service", target, reference.get("name"))
            for port in maps(dig(service.body, "spec", "ports")) if service else ():
                if port.get("port") != reference.get("port"):
                    continue
                for pod, number in behind(index, service, port) if service else ():
                    if closed := closed_side(index, proxies, pod, number):
                        yield Finding(
                            f"it cannot reach port {number} of {pod.obj.kind} {pod.obj.name}: {closed}",
                            f"allow {namespace} to connect",
                        )


@object_rule("DC-NET-021", "Policies of the edge attach to something", kinds=ATTACHED)
def attached(obj: Obj, index: Index) -> Findings:
    """`targetRef` and `targetRefs` of Envoy Gateway's policies must name a rendered Gateway or route of
    their namespace, and by `sectionName` one of its listeners or rules.

    Why: a rate limit or a set of security headers that attaches to nothing is silently off.

    Fix: correct the name.

    Sources: https://gateway.envoyproxy.io/docs/api/extension_types/
    """
    spec = mapping(obj.body.get("spec"))
    references = maps(spec.get("targetRefs"))
    if isinstance(spec.get("targetRef"), dict):
        references.append(spec["targetRef"])
    if not references and not maps(spec.get("targetSelectors")):
        yield Finding("it attaches to nothing", "name a Gateway or route in `targetRefs`")
    for reference in references:
        kind, name, section = (text(reference.get(key)) for key in ("kind", "name", "sectionName"))
        target = index.get(kind, obj.namespace, name)
        if target is None:
            yield Finding(f"there is no {kind} {name} in namespace {obj.namespace}", "correct `targetRefs`")
        elif section and section not in _sections(target):
            yield Finding(f"{kind} {name} has no section {section}", "correct `sectionName`")


def _sections(target: Obj) -> list[str]:
    key = "listeners" if target.kind == "Gateway" else "rules"
    return [text(item.get("name")) for item in maps(dig(target.body, "spec", key))]
