"""One pass over an environment's objects, after which rules look things up instead of searching.

Nothing here trusts the shape of an object: the schema check reports a list where a map belongs, and the
rules must still run to the end. Hence `dig`, `mapping`, `maps` and friends, which answer "nothing" for what
is not there or is of the wrong type.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from generator.argocd.charts import Kind, chart_kinds
from generator.config.environment import Environment
from generator.problem import Place
from generator.render.app import App
from generator.render.model import Body, Obj, Rendered

T = TypeVar("T")
Labels = Mapping[str, str]

NAME_LABEL = "kubernetes.io/metadata.name"
BUILT_IN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
POD_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
NETWORK_POLICY = Kind("networking.k8s.io", "NetworkPolicy")
SCALED = ("Deployment", "StatefulSet")
LONG_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
SHOP_WORKLOADS = {"shop-backend": "backend", "shop-frontend": "frontend"}


def dig(value: Any, *path: str) -> Any:
    """What lies at `path` in nested maps, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def mapping(value: Any) -> Body:
    """`value` if it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def maps(value: Any) -> list[Body]:
    """The maps of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The strings of a list; empty for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def whole(value: Any, default: int = 0) -> int:
    """`value` if it is a whole number, else `default`."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def string_map(value: Any) -> dict[str, str]:
    """The entries of a map whose value is a string: labels, annotations, a ConfigMap's data."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def share(amount: Any, of: int) -> int | None:
    """A count or a percentage ("25%", rounded up as Kubernetes does for budgets) of `of`; None if it is
    neither.
    """
    if isinstance(amount, int) and not isinstance(amount, bool):
        return amount
    if isinstance(amount, str) and amount.endswith("%") and amount[:-1].isdigit():
        return math.ceil(int(amount[:-1]) * of / 100)
    return None


def selects(selector: Any, labels: Labels) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) selects `labels`. Empty selects all, None
    nothing.
    """
    if not isinstance(selector, dict):
        return False
    for key, value in mapping(selector.get("matchLabels")).items():
        if labels.get(key) != value:
            return False
    expressions = selector.get("matchExpressions")
    return not expressions or all(_expression_holds(item, labels) for item in maps(expressions))


def _expression_holds(expression: Body, labels: Labels) -> bool:
    key, operator = text(expression.get("key")), expression.get("operator")
    values = texts(expression.get("values"))
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) == (operator == "Exists")


class LabelIndex(Generic[T]):
    """Things found by label selector within a namespace, without going through all of them."""

    def __init__(self) -> None:
        self._items: dict[str, list[T]] = defaultdict(list)
        self._all: dict[str, list[tuple[Labels, T]]] = defaultdict(list)
        self._having: dict[tuple[str, str, str], list[tuple[Labels, T]]] = defaultdict(list)

    def add(self, namespace: str, labels: Labels, item: T) -> None:
        """Make `item` findable."""
        entry = (labels, item)
        self._items[namespace].append(item)
        self._all[namespace].append(entry)
        for key, value in labels.items():
            self._having[namespace, key, value].append(entry)

    def select(self, namespace: str, selector: Any) -> list[T]:
        """What `selector` selects in `namespace`, in the order added."""
        if not isinstance(selector, dict):
            return []
        if not selector:
            return self._items.get(namespace, [])
        candidates = self._all.get(namespace, [])
        wanted = mapping(selector.get("matchLabels"))
        for key, value in wanted.items():
            having = self._having.get((namespace, key, value), []) if isinstance(value, str) else []
            if len(having) < len(candidates):
                candidates = having
        if len(selector) == len(wanted) == 1:
            return [item for _, item in candidates]  # all of them have the one label that is asked for
        return [item for labels, item in candidates if selects(selector, labels)]


@dataclass(slots=True, eq=False)
class Policy:
    """A NetworkPolicy and the rendered pods that it selects.

    `ingress` and `egress` are its rules, None where it does not govern that direction.
    """

    obj: Obj
    selector: Body
    ingress: list[Body] | None
    egress: list[Body] | None
    pods: list[Pod] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.obj.namespace


@dataclass(slots=True, eq=False)
class Container:
    """A container of a pod template; `init` for those that run before the others."""

    pod: Pod
    body: Body
    init: bool
    security: Body

    @property
    def name(self) -> str:
        """`name`."""
        return text(self.body.get("name"))

    @property
    def ports(self) -> list[Body]:
        """`ports`."""
        return maps(self.body.get("ports"))

    def setting(self, key: str) -> Any:
        """`securityContext.<key>` of the container, else of its pod."""
        return self.security[key] if key in self.security else self.pod.security.get(key)


@dataclass(slots=True, eq=False)
class Pod:
    """A pod template, whatever kind of object holds it."""

    obj: Obj
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Body
    security: Body
    containers: list[Container] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    budgets: list[Obj] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.obj.namespace

    def port(self, port: Any) -> int | None:
        """The number of a container port given by name or number; None if no container declares that name."""
        if isinstance(port, int):
            return port
        for container in self.containers:
            for declared in container.ports:
                if declared.get("name") == port:
                    return whole(declared.get("containerPort")) or None
        return None


@dataclass(slots=True, eq=False)
class Elsewhere:
    """The pods of a namespace that are not rendered here: of a chart, a controller or the cluster itself.

    Their labels are unknown, so every policy of the namespace may apply to them. Where a chart brings
    policies of its own, `policies` is not all of them.
    """

    namespace: str
    policies: list[Policy]
    has_more_policies: bool


Endpoint = Pod | Elsewhere


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
        self._peers: dict[tuple[str, str], list[Endpoint]] = {}
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
        external = {
            (obj.namespace, text(dig(obj.body, "spec", "target", "name")) or obj.name)
            for obj in self.of("ExternalSecret")
        }
        return frozenset(
            external
            | {(obj.namespace, text(dig(obj.body, "spec", "secretName"))) for obj in self.of("Certificate")}
        )

    @cached_property
    def database_secrets(self) -> frozenset[tuple[str, str]]:
        """(namespace, name) of the Secrets with the database's credentials: read from `…-database`."""
        return frozenset(
            (obj.namespace, text(dig(obj.body, "spec", "target", "name")) or obj.name)
            for obj in self.of("ExternalSecret")
            if any(key.endswith("-database") for key in remote_keys(obj))
        )

    def governed(self, policy: Policy) -> list[Endpoint]:
        """The endpoints that a NetworkPolicy selects."""
        return self._with_elsewhere(policy.namespace, policy.pods)

    def peers(self, policy: Policy, peer: Body) -> list[Endpoint]:
        """The endpoints that a peer of a rule of `policy` names; none for an address range."""
        key = (policy.namespace, repr(peer))  # policies repeat a few peers: DNS, the edge, Prometheus
        found = self._peers.get(key)
        if found is None:
            found = self._peers[key] = self._find_peers(policy.namespace, peer)
        return found

    def _find_peers(self, namespace: str, peer: Body) -> list[Endpoint]:
        if "ipBlock" in peer:
            return []
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
