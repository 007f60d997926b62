"""Namespaces, labels, versions and identity."""

from __future__ import annotations

from generator.check.index import BUILT_IN_NAMESPACES, Index
from generator.check.rule import Finding, Findings, environment_rule, object_rule, register
from generator.check.shape import dig, mapping, string_map
from generator.problem import Place
from generator.render.conventions import OWNER_LABEL
from generator.render.model import Identity, Obj

STANDARD_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by")
OWNER = "owner"
POD_SECURITY = "pod-security.kubernetes.io/enforce"

# apiVersion -> (kinds, or all if empty; what to write; since when it is not served or is deprecated).
# https://kubernetes.io/docs/reference/using-api/deprecation-guide/ (read 2026-11-22).
# external-secrets.io: release 2.9.0 serves v1 only.
OLD_VERSIONS: dict[str, tuple[frozenset[str], str, str]] = {
    "extensions/v1beta1": (frozenset(), "apps/v1, networking.k8s.io/v1", "not served since 1.16 to 1.22"),
    "apps/v1beta1": (frozenset(), "apps/v1", "not served since 1.16"),
    "apps/v1beta2": (frozenset(), "apps/v1", "not served since 1.16"),
    "admissionregistration.k8s.io/v1beta1": (
        frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}),
        "admissionregistration.k8s.io/v1",
        "not served since 1.22",
    ),
    "apiextensions.k8s.io/v1beta1": (frozenset(), "apiextensions.k8s.io/v1", "not served since 1.22"),
    "apiregistration.k8s.io/v1beta1": (frozenset(), "apiregistration.k8s.io/v1", "not served since 1.22"),
    "networking.k8s.io/v1beta1": (
        frozenset({"Ingress", "IngressClass"}),
        "networking.k8s.io/v1",
        "not served since 1.22",
    ),
    "rbac.authorization.k8s.io/v1beta1": (
        frozenset(),
        "rbac.authorization.k8s.io/v1",
        "not served since 1.22",
    ),
    "scheduling.k8s.io/v1beta1": (
        frozenset({"PriorityClass"}),
        "scheduling.k8s.io/v1",
        "not served since 1.22",
    ),
    "storage.k8s.io/v1beta1": (
        frozenset({"CSIDriver", "CSINode", "CSIStorageCapacity", "StorageClass", "VolumeAttachment"}),
        "storage.k8s.io/v1",
        "not served since 1.22, CSIStorageCapacity since 1.27",
    ),
    "batch/v1beta1": (frozenset({"CronJob"}), "batch/v1", "not served since 1.25"),
    "discovery.k8s.io/v1beta1": (frozenset(), "discovery.k8s.io/v1", "not served since 1.25"),
    "events.k8s.io/v1beta1": (frozenset(), "events.k8s.io/v1", "not served since 1.25"),
    "autoscaling/v2beta1": (frozenset(), "autoscaling/v2", "not served since 1.25"),
    "autoscaling/v2beta2": (frozenset(), "autoscaling/v2", "not served since 1.26"),
    "policy/v1beta1": (frozenset(), "policy/v1", "not served since 1.25"),
    "node.k8s.io/v1beta1": (frozenset(), "node.k8s.io/v1", "not served since 1.25"),
    "flowcontrol.apiserver.k8s.io/v1beta1": (
        frozenset(),
        "flowcontrol.apiserver.k8s.io/v1",
        "not served since 1.26",
    ),
    "flowcontrol.apiserver.k8s.io/v1beta2": (
        frozenset(),
        "flowcontrol.apiserver.k8s.io/v1",
        "not served since 1.29",
    ),
    "flowcontrol.apiserver.k8s.io/v1beta3": (
        frozenset(),
        "flowcontrol.apiserver.k8s.io/v1",
        "not served since 1.32",
    ),
    "external-secrets.io/v1alpha1": (frozenset(), "external-secrets.io/v1", "not served by 2.9"),
    "external-secrets.io/v1beta1": (frozenset(), "external-secrets.io/v1", "not served by 2.9"),
}


@object_rule("DC-META-001", "Nothing lives in the cluster's own namespaces")
def own_namespace(obj: Obj, _index: Index) -> Findings:
    """`metadata.namespace` must not be `default`, `kube-system` or another namespace that every cluster has.

    Why: these have no quota, no Pod Security level and no default-deny policy of ours.

    Fix: use the app's namespace.

    Sources: KSV-0110, KSV-0037; CKV_K8S_21.
    """
    if obj.namespace in BUILT_IN_NAMESPACES:
        yield Finding(f"it would live in {obj.namespace}", "use the app's namespace")


@object_rule("DC-META-002", "Every namespace that is used is rendered")
def namespace_exists(obj: Obj, index: Index) -> Findings:
    """`metadata.namespace` must be a Namespace that is rendered. (The cluster's own are DC-META-001.)

    Why: otherwise the sync fails, or Argo CD makes a namespace without labels, quota and policies.

    Fix: correct it, or add the namespace to the app `foundation`.

    Sources: DC-META-003 and DC-META-004 hold only for rendered namespaces.
    """
    if obj.namespace and obj.namespace not in index.namespaces:
        yield Finding(
            f"there is no namespace {obj.namespace}", "add it to the app foundation, or correct the name"
        )


@object_rule(
    "DC-META-003", "Namespaces with pods have a ResourceQuota and a LimitRange", kinds=("Namespace",)
)
def bounded(obj: Obj, index: Index) -> Findings:
    """Each namespace with pods, rendered or of a chart, must have a ResourceQuota and a LimitRange.

    Why: one app that runs wild must not take the nodes from the others, and a pod without requests must get
    some.

    Fix: the app `foundation` renders both.

    Sources: KSV-0039, KSV-0040.
    """
    if obj.name not in index.busy_namespaces:
        return
    for kind in ("ResourceQuota", "LimitRange"):
        if (kind, obj.name) not in index.kinds_in_namespaces:
            yield Finding(f"it has pods and no {kind}", f"add a {kind}")


@object_rule("DC-META-004", "Namespaces enforce the restricted Pod Security level", kinds=("Namespace",))
def pod_security(obj: Obj, _index: Index) -> Findings:
    """The label `pod-security.kubernetes.io/enforce` must be `restricted`.

    Why: it is what holds charts, operators and people to the rules that DC-POD-… hold these files to.

    Fix: set it. A namespace of node agents, which need the node, is exempted with the reason.

    Sources: https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    level = string_map(dig(obj.body, "metadata", "labels")).get(POD_SECURITY)
    if level != "restricted":
        yield Finding(
            f"its Pod Security level is {level}" if level else "it has no Pod Security level",
            f"label it `{POD_SECURITY}: restricted`",
        )


@object_rule("DC-META-005", "No version of an API that is gone or going")
def old_version(obj: Obj, _index: Index) -> Findings:
    """`apiVersion` must not be one that Kubernetes or the operator that owns it removed or deprecated.

    Why: the next upgrade of the cluster refuses the object; some would be refused today.

    Fix: the version that the message names; its fields may differ.

    Sources: https://kubernetes.io/docs/reference/using-api/deprecation-guide/; KSV-0107; kube-linter
    no-extensions-v1beta.
    """
    version = obj.body["apiVersion"]
    found = OLD_VERSIONS.get(version)
    if found and (not found[0] or obj.kind in found[0]):
        yield Finding(f"{version} {obj.kind} is {found[2]}", f"write {found[1]}")


@object_rule("DC-META-006", "Every object has the standard labels")
def standard_labels(obj: Obj, _index: Index) -> Findings:
    """Labels `app.kubernetes.io/name`, `part-of` and `managed-by` must be set.

    Why: logs, costs, dashboards and people find things by them.

    Fix: the generator sets them; a template must not blank them.

    Sources: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    labels = mapping(obj.body["metadata"].get("labels"))
    if not all(map(labels.get, STANDARD_LABELS)):
        missing = [name for name in STANDARD_LABELS if not labels.get(name)]
        yield Finding(f"it lacks the label {', '.join(missing)}", "leave it to the generator to set them")


@object_rule("DC-META-007", "Every object has an owner")
def owner(obj: Obj, _index: Index) -> Findings:
    """A label or annotation called `owner`, with or without a prefix, must name the team that answers for it.

    Why: at three in the morning someone must know whom to call.

    Fix: `owner` in the app's `app.yaml`; the generator sets the label.

    Sources: kube-linter required-annotation-email, required-label-owner.
    """
    metadata = obj.body["metadata"]
    labels = mapping(metadata.get("labels"))
    if labels.get(OWNER_LABEL):
        return
    names = {name for name, value in (labels | mapping(metadata.get("annotations"))).items() if value}
    if not any(str(name).rpartition("/")[2] == OWNER for name in names):
        yield Finding("nobody owns it", "set `owner` in app.yaml")


@environment_rule("DC-META-008", "No two objects are the same one")
def unique(index: Index) -> Findings:
    """Group, kind, namespace and name together must occur once in an environment, over all apps.

    Why: two Applications would overwrite each other's object for ever.

    Fix: rename one, or remove it.

    Sources: the previous repository had two such pairs.
    """
    first: dict[Identity, Obj] = {}
    for obj in index.objects:
        other = first.setdefault(obj.identity, obj)
        if other is not obj:
            yield Finding(
                f"it is rendered twice: by {other.source} and by {obj.source}",
                "rename one, or remove it",
                obj=obj,
                also=(Place(other.source),),
            )


STALE_EXEMPTION = register(
    "DC-META-009",
    "Every exemption is used",
    """An entry of `exemptions` in an `app.yaml` that names a policy rule must exempt something, in at
    least one of the environments checked. (The rules about versions judge their exemptions themselves.)

    Why: an exemption that nobody needs any more hides the next mistake.

    Fix: remove it, or correct `rule` or `object` (`Kind/name`, or `Kind/*`).

    Sources: the exemptions that polaris and kube-linter users ask for, and forget.
    """,
)
UNKNOWN_RULE = register(
    "DC-META-010",
    "Exemptions name a rule that exists",
    """`rule` of an exemption must be the code of a rule.

    Why: a misspelt code exempts nothing, and the reader believes that it does.

    Fix: one of the codes in `docs/rules/`.

    Sources: this repository's `app.yaml`.
    """,
)
