"""One pass over an environment's objects, after which rules look things up instead of searching."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from generator.argocd.charts import Kind, chart_kinds
from generator.check.demand import Demand, demand
from generator.check.selector import LabelIndex, Labels
from generator.check.shape import dig, mapping, maps, string_map, text, texts, whole
from generator.check.view import (
    POD_TEMPLATES,
    Container,
    Edge,
    Elsewhere,
    Endpoint,
    Parent,
    Pod,
    Policy,
    Route,
)
from generator.config.document import Path
from generator.config.environment import Environment
from generator.problem import Place
from generator.render.app import App
from generator.render.model import Body, Obj, Rendered

NAME_LABEL = "kubernetes.io/metadata.name"
BUILT_IN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
NETWORK_POLICY = Kind("networking.k8s.io", "NetworkPolicy")
SCALED = ("Deployment", "StatefulSet")
LONG_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
ROUTES = ("HTTPRoute", "GRPCRoute")
SHOP_WORKLOADS = {"shop-backend": "backend", "shop-frontend": "frontend"}


class Index:
    """Everything of an environment, findable.

    A namespace is "open" if pods live in it that are not rendered here: those of Helm charts, those that a
    Gateway's controller starts, and namespaces that are not ours. What selectors hit there cannot be known.
    """

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.objects: tuple[Obj, ...] = rendered.everything
        self.apps: dict[str, App] = {app.name: app for app in rendered.apps}
        self.kinds: dict[str, list[Obj]] = defaultdict(list)
        self.found: dict[tuple[str, str, str], Obj] = {}
        self.pods: list[Pod] = []
        self.pod_labels: LabelIndex[Pod] = LabelIndex()
        self.service_labels: LabelIndex[Obj] = LabelIndex()
        self.policies: dict[str, list[Policy]] = defaultdict(list)
        self._elsewhere: dict[str, Elsewhere] = {}
        for obj in self.objects:
            self.kinds[obj.kind].append(obj)
            self.found[obj.kind, obj.namespace, obj.name] = obj
            if obj.kind in POD_TEMPLATES:
                self._add_pod(obj)
        for obj in self.kinds.get("Service", ()):
            self.service_labels.add(obj.namespace, string_map(dig(obj.body, "metadata", "labels")), obj)
        self._link_policies()
        self._link_budgets()

    @property
    def environment(self) -> Environment:
        """The typed config."""
        return self.rendered.environment

    def of(self, *kinds: str) -> Iterable[Obj]:
        """The objects of these kinds."""
        for kind in kinds:
            yield from self.kinds.get(kind, ())

    def get(self, kind: str, namespace: str, name: Any) -> Obj | None:
        """One object, or None."""
        return self.found.get((kind, namespace, name)) if isinstance(name, str) else None

    def pods_of(self, namespace: str, selector: Any) -> list[Pod]:
        """The pod templates that a label selector selects."""
        return self.pod_labels.select(namespace, selector)

    def backends(self, service: Obj) -> list[Pod]:
        """The pod templates behind a Service; none if it has no selector."""
        labels = mapping(dig(service.body, "spec", "selector"))
        return self.pod_labels.select(service.namespace, {"matchLabels": labels}) if labels else []

    @cached_property
    def pod_by_owner(self) -> dict[tuple[str, str, str], Pod]:
        """(kind, namespace, name) of the object that holds it → pod template."""
        return {(pod.obj.kind, pod.namespace, pod.obj.name): pod for pod in self.pods}

    @cached_property
    def autoscalers(self) -> dict[tuple[str, str, str], Obj]:
        """(kind, namespace, name) of the target → its HorizontalPodAutoscaler."""
        found = {}
        for obj in self.of("HorizontalPodAutoscaler"):
            target = mapping(dig(obj.body, "spec", "scaleTargetRef"))
            found[text(target.get("kind")), obj.namespace, text(target.get("name"))] = obj
        return found

    def autoscaler(self, workload: Obj) -> Obj | None:
        """The HorizontalPodAutoscaler of a workload, if it has one."""
        return self.autoscalers.get((workload.kind, workload.namespace, workload.name))

    def fewest(self, workload: Obj) -> int:
        """How few pods a Deployment or StatefulSet may have: its autoscaler's minimum, else its replicas."""
        autoscaler = self.autoscaler(workload)
        if autoscaler is not None:
            return whole(dig(autoscaler.body, "spec", "minReplicas"), 1)
        return whole(dig(workload.body, "spec", "replicas"), 1)

    def most(self, workload: Obj) -> int:
        """How many pods a Deployment or StatefulSet has at most."""
        autoscaler = self.autoscaler(workload)
        if autoscaler is not None:
            return whole(dig(autoscaler.body, "spec", "maxReplicas"), 1)
        return whole(dig(workload.body, "spec", "replicas"), 1)

    @cached_property
    def namespaces(self) -> dict[str, dict[str, str]]:
        """Namespace → labels: those rendered, and those that every cluster has."""
        found = {name: {NAME_LABEL: name} for name in BUILT_IN_NAMESPACES}
        for obj in self.of("Namespace"):
            found[obj.name] = {**string_map(dig(obj.body, "metadata", "labels")), NAME_LABEL: obj.name}
        return found

    @cached_property
    def _namespace_labels(self) -> LabelIndex[str]:
        index: LabelIndex[str] = LabelIndex()
        for name, labels in self.namespaces.items():
            index.add("", labels, name)
        return index

    def namespaces_of(self, selector: Any) -> list[str]:
        """The namespaces that a label selector selects."""
        return self._namespace_labels.select("", selector)

    def labels_of_namespace(self, namespace: str) -> Labels:
        """The labels of a namespace, known or not."""
        return self.namespaces.get(namespace) or {NAME_LABEL: namespace}

    @cached_property
    def owned_namespaces(self) -> dict[str, Obj]:
        """The namespaces that are rendered here."""
        return {obj.name: obj for obj in self.of("Namespace")}

    @cached_property
    def chart_namespaces(self) -> frozenset[str]:
        """The namespaces in which Helm charts create objects."""
        return frozenset(self._charts_of_namespace)

    @cached_property
    def _charts_of_namespace(self) -> dict[str, list[str]]:
        known = chart_kinds()
        found: dict[str, list[str]] = defaultdict(list)
        for app in self.apps.values():
            if app.chart:
                extra = known[app.chart].extra_namespaces if app.chart in known else ()
                for namespace in {app.namespace, *extra}:
                    found[namespace].append(app.chart)
        return dict(found)

    def _has_chart_policies(self, namespace: str) -> bool:
        known = chart_kinds()
        return any(
            chart not in known or NETWORK_POLICY in known[chart].namespaced_kinds
            for chart in self._charts_of_namespace.get(namespace, ())
        )

    @cached_property
    def rendered_apps(self) -> dict[str, list[Obj]]:
        """App → its own objects, those of Argo CD left out."""
        found: dict[str, list[Obj]] = defaultdict(list)
        for obj in self.rendered.objects:
            found[obj.app].append(obj)
        return dict(found)

    @cached_property
    def kinds_in_namespaces(self) -> frozenset[tuple[str, str]]:
        """(kind, namespace) of every object."""
        return frozenset((obj.kind, obj.namespace) for obj in self.objects)

    @cached_property
    def busy_namespaces(self) -> frozenset[str]:
        """The namespaces in which pods are known to run."""
        return self.chart_namespaces | {pod.namespace for pod in self.pods}

    def is_open(self, namespace: str) -> bool:
        """Whether pods that are not rendered here may live in `namespace`."""
        return (
            namespace in self.chart_namespaces
            or namespace in self._gateway_namespaces
            or namespace not in self.owned_namespaces
        )

    @cached_property
    def _gateway_namespaces(self) -> frozenset[str]:
        return frozenset(obj.namespace for obj in self.of("Gateway"))

    def elsewhere(self, namespace: str) -> Elsewhere:
        """The pods of `namespace` that are not rendered here."""
        found = self._elsewhere.get(namespace)
        if found is None:
            policies = self.policies.get(namespace, [])
            found = Elsewhere(namespace, policies, self._has_chart_policies(namespace))
            self._elsewhere[namespace] = found
        return found

    @cached_property
    def priority_classes(self) -> frozenset[str]:
        """Names of the rendered PriorityClasses."""
        return frozenset(obj.name for obj in self.of("PriorityClass"))

    @cached_property
    def written_secrets(self) -> frozenset[tuple[str, str]]:
        """(namespace, name) of the Secrets that rendered ExternalSecrets and Certificates write."""
        return frozenset(
            self.entries.keys()
            | {(obj.namespace, text(dig(obj.body, "spec", "secretName"))) for obj in self.of("Certificate")}
        )

    @cached_property
    def entries(self) -> dict[tuple[str, str], list[str]]:
        """(namespace, name) of each Secret that an ExternalSecret writes → the entries that it is made of."""
        return {
            (obj.namespace, text(dig(obj.body, "spec", "target", "name")) or obj.name): remote_keys(obj)
            for obj in self.of("ExternalSecret")
        }

    @cached_property
    def database_secrets(self) -> frozenset[tuple[str, str]]:
        """(namespace, name) of the Secrets with the database's credentials: read from `…-database`."""
        return frozenset(
            secret for secret, keys in self.entries.items() if any(key.endswith("-database") for key in keys)
        )

    @cached_property
    def routes(self) -> dict[tuple[str, str, str], Route]:
        """(kind, namespace, name) → route of the Gateway API."""
        return {(obj.kind, obj.namespace, obj.name): self._route(obj) for obj in self.of(*ROUTES)}

    def _route(self, obj: Obj) -> Route:
        spec = obj.body.get("spec")
        backends: list[Body] = []
        for rule in maps(dig(spec, "rules")):
            backends += maps(rule.get("backendRefs"))
            mirrors = (dig(item, "requestMirror", "backendRef") for item in maps(rule.get("filters")))
            backends += [mirror for mirror in mirrors if isinstance(mirror, dict)]
        parents = [
            self._parent(obj, reference)
            for reference in maps(dig(spec, "parentRefs"))
            if reference.get("kind", "Gateway") == "Gateway"
        ]
        return Route(obj, texts(dig(spec, "hostnames")), parents, backends)

    def _parent(self, route: Obj, reference: Body) -> Parent:
        namespace = text(reference.get("namespace")) or route.namespace
        gateway = self.get("Gateway", namespace, reference.get("name"))
        section, port = reference.get("sectionName"), reference.get("port")
        listeners = [
            listener
            for listener in maps(dig(gateway.body, "spec", "listeners") if gateway else None)
            if section in (None, listener.get("name")) and port in (None, listener.get("port"))
        ]
        return Parent(reference, gateway, listeners)

    def governed(self, policy: Policy) -> list[Endpoint]:
        """The endpoints that a NetworkPolicy selects."""
        return self._with_elsewhere(policy.namespace, policy.pods)

    @cached_property
    def edges(self) -> list[Edge]:
        """Every connection between pods that a NetworkPolicy speaks of."""
        known: dict[tuple[str, str], list[Endpoint]] = {}  # policies repeat a few peers: DNS, Prometheus
        found = []
        for policy, key, rule in self._policy_rules():
            for peer in maps(rule.get(key)):
                said = (policy.namespace, repr(peer))
                if said not in known:
                    known[said] = self._find_peers(policy.namespace, peer)
                found.append(Edge(policy, key, rule, peer, known[said]))
        return [edge for edge in found if "ipBlock" not in edge.peer]

    def _policy_rules(self) -> Iterator[tuple[Policy, str, Body]]:
        """(policy, "from" or "to", rule) of every rule."""
        for policies in self.policies.values():
            for policy in policies:
                yield from ((policy, "from", rule) for rule in policy.ingress or ())
                yield from ((policy, "to", rule) for rule in policy.egress or ())

    def _find_peers(self, namespace: str, peer: Body) -> list[Endpoint]:
        namespaces = [namespace]
        if "namespaceSelector" in peer:
            namespaces = self.namespaces_of(peer["namespaceSelector"])
        selector = peer.get("podSelector", {})
        return [
            endpoint
            for name in namespaces
            for endpoint in self._with_elsewhere(name, self.pods_of(name, selector))
        ]

    def _with_elsewhere(self, namespace: str, pods: list[Pod]) -> list[Endpoint]:
        return [*pods, self.elsewhere(namespace)] if self.is_open(namespace) else [*pods]

    @cached_property
    def demand(self) -> Demand:
        """What all pods request at full load."""
        return demand(self)

    @cached_property
    def prometheus_namespace(self) -> str:
        """Where Prometheus runs: the namespace of the app that is the chart kube-prometheus-stack, if any."""
        return next((app.namespace for app in self.apps.values() if app.chart == "kube-prometheus-stack"), "")

    @cached_property
    def data_subnets(self) -> dict[str, str]:
        """Zone → address range of the database's subnet."""
        return {str(zone): cidr for zone, cidr in self.environment.aws.network.data_subnets.items()}

    def config_place(self, app: str, *path: str) -> Place | None:
        """The line of the environment file that decides `path` for the shop's app; None for any other app."""
        workload = SHOP_WORKLOADS.get(app)
        return self.rendered.config.place("shop", workload, *path) if workload else None

    def lines(self, *paths: Path) -> tuple[Place, tuple[Place, ...]]:
        """The line of the environment file to edit, and those that add to it: what it leaves to a default
        has none. If it leaves all of them, where the first would be.
        """
        values = self.rendered.config.document.values
        found = list(dict.fromkeys(values[path] for path in paths if path in values))
        where, *also = found or [self.rendered.config.place(*paths[0])]
        return where, tuple(also)

    def _add_pod(self, obj: Obj) -> None:
        template = mapping(dig(obj.body, *POD_TEMPLATES[obj.kind]))
        metadata = mapping(template.get("metadata"))
        spec = mapping(template.get("spec"))
        pod = Pod(
            obj,
            string_map(metadata.get("labels")),
            string_map(metadata.get("annotations")),
            spec,
            mapping(spec.get("securityContext")),
        )
        for key in ("initContainers", "containers"):
            for body in maps(spec.get(key)):
                security = mapping(body.get("securityContext"))
                pod.containers.append(Container(pod, body, key == "initContainers", security))
        self.pods.append(pod)
        self.pod_labels.add(pod.namespace, pod.labels, pod)

    def _link_policies(self) -> None:
        for obj in self.of("NetworkPolicy"):
            spec = mapping(obj.body.get("spec"))
            policy = Policy(obj, mapping(spec.get("podSelector")), *_directions(spec))
            self.policies[obj.namespace].append(policy)
            policy.pods = self.pods_of(obj.namespace, policy.selector)
            for pod in policy.pods:
                pod.policies.append(policy)

    def _link_budgets(self) -> None:
        for obj in self.of("PodDisruptionBudget"):
            for pod in self.pods_of(obj.namespace, dig(obj.body, "spec", "selector")):
                pod.budgets.append(obj)


def remote_references(external_secret: Obj) -> Iterator[Body]:
    """What an ExternalSecret reads: maps with `key` and, unless the whole entry is meant, `property`."""
    for item in maps(dig(external_secret.body, "spec", "data")):
        yield mapping(item.get("remoteRef"))
    for item in maps(dig(external_secret.body, "spec", "dataFrom")):
        if "extract" in item:
            yield mapping(item["extract"])


def remote_keys(external_secret: Obj) -> list[str]:
    """The entries that an ExternalSecret reads."""
    return [text(reference.get("key")) for reference in remote_references(external_secret)]


def _directions(spec: Body) -> tuple[list[Body] | None, list[Body] | None]:
    """Ingress and egress rules of a NetworkPolicy, with the API's default for `policyTypes`."""
    types = texts(spec.get("policyTypes")) or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return (
        maps(spec.get("ingress")) if "Ingress" in types else None,
        maps(spec.get("egress")) if "Egress" in types else None,
    )
