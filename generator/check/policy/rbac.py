"""Identity and rights inside the cluster."""

from __future__ import annotations

from generator.check.index import Index
from generator.check.rule import Finding, Findings, object_rule, pod_rule
from generator.check.shape import dig, mapping, maps, text, texts
from generator.check.view import Pod
from generator.render.model import Obj

ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")
READING = frozenset({"get", "list", "watch", "*"})
WRITING = frozenset({"create", "update", "patch", "delete", "deletecollection", "*"})
BECOMING = frozenset({"pods/exec", "pods/attach", "pods/portforward"})
RIGHTS = frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})
BUILT_IN_ROLES = frozenset({"admin", "cluster-admin", "edit", "view"})
WEBHOOKS = frozenset({"mutatingwebhookconfigurations", "validatingwebhookconfigurations"})


@pod_rule("DC-RBAC-001", "Pods get no token of the API server")
def token_mounted(pod: Pod, index: Index) -> Findings:
    """`automountServiceAccountToken` must be false, in the pod or in its ServiceAccount.

    Why: almost no pod talks to the API server, and a token in a pod is the first thing that an intruder
    takes.

    Fix: `automountServiceAccountToken: false`. What does talk to the API server is exempted with the
    reason.

    Sources: KSV-0036; C-0034; CKV_K8S_38.
    """
    mounted = pod.spec.get("automountServiceAccountToken")
    if mounted is None:
        account = index.get("ServiceAccount", pod.namespace, pod.spec.get("serviceAccountName"))
        mounted = account.body.get("automountServiceAccountToken") if account else None
    if mounted is not False:
        yield Finding(
            "the pod is given a token of the API server", "write `automountServiceAccountToken: false`"
        )


@pod_rule("DC-RBAC-002", "Every pod has a ServiceAccount of its own")
def default_account(pod: Pod, _index: Index) -> Findings:
    """`serviceAccountName` must be set, and not to `default`.

    Why: whatever is granted to `default` is granted to every pod of the namespace that says nothing.

    Fix: make a ServiceAccount for the app and name it.

    Sources: kube-linter default-service-account.
    """
    if pod.spec.get("serviceAccountName", "default") in ("default", "", None):
        yield Finding("the pod uses the namespace's default ServiceAccount", "make one and name it")


@pod_rule("DC-RBAC-003", "The ServiceAccount of every pod exists")
def missing_account(pod: Pod, index: Index) -> Findings:
    """The ServiceAccount that a pod names must be rendered in its namespace.

    Why: without it the pod is never created, and only an event says so.

    Fix: add the ServiceAccount, or correct the name. One that a Helm chart makes is exempted with that
    reason: charts are not rendered here.

    Sources: kube-linter non-existent-service-account.
    """
    name = pod.spec.get("serviceAccountName")
    if name and name != "default" and index.get("ServiceAccount", pod.namespace, name) is None:
        yield Finding(
            f"there is no ServiceAccount {name} in namespace {pod.namespace}", "add it, or correct the name"
        )


@object_rule("DC-RBAC-004", "Nobody is cluster-admin", kinds=BINDINGS)
def cluster_admin(obj: Obj, _index: Index) -> Findings:
    """No binding may grant `cluster-admin`.

    Why: it is every right on everything, the secrets of every namespace included.

    Fix: grant a role with the rights that are used.

    Sources: KSV-0111; kube-linter cluster-admin-role-binding.
    """
    if dig(obj.body, "roleRef", "name") == "cluster-admin":
        yield Finding("it grants cluster-admin", "grant a role with the rights that are used")


@object_rule("DC-RBAC-005", "Roles name what they grant", kinds=ROLES)
def wildcards(obj: Obj, _index: Index) -> Findings:
    """A role's `apiGroups`, `resources`, `verbs` and `nonResourceURLs` must not be `*`.

    Why: `*` grants what is added to the cluster later, too, and nobody reviews that.

    Fix: list them.

    Sources: KSV-0044, KSV-0045, KSV-0046; kube-linter wildcard-in-rules.
    """
    for rule in maps(obj.body.get("rules")):
        starred = [key for key, values in rule.items() if isinstance(values, list) and "*" in values]
        if starred:
            yield Finding(
                f"a rule grants every one of its {' and '.join(starred)}", "list them instead of `*`"
            )


@object_rule("DC-RBAC-006", "Roles do not read secrets", kinds=ROLES)
def reads_secrets(obj: Obj, _index: Index) -> Findings:
    """A role must not `get`, `list` or `watch` Secrets, except `get` of those in `resourceNames`.

    Why: Secrets of a namespace are the credentials of everything in it. (`list` returns their contents, too.)

    Fix: mount the Secret as a file, or grant `get` on one by name.

    Sources: KSV-0041, KSV-0113; C-0035; kube-linter access-to-secrets.
    """
    for rule in maps(obj.body.get("rules")):
        verbs = set(texts(rule.get("verbs"))) & READING
        if "secrets" in texts(rule.get("resources")) and verbs - (
            {"get"} if rule.get("resourceNames") else set()
        ):
            yield Finding(
                f"a rule may {', '.join(sorted(verbs))} Secrets",
                "mount the Secret, or grant `get` on one by name",
            )


@object_rule("DC-RBAC-007", "Roles do not let anyone into pods or be someone else", kinds=ROLES)
def becomes_others(obj: Obj, _index: Index) -> Findings:
    """A role must not grant `pods/exec`, `pods/attach`, `pods/portforward` or the verb `impersonate`.

    Why: each turns the role into whatever identity runs there.

    Fix: remove it; people get such rights for a time, not by Git.

    Sources: KSV-0043, KSV-0053, KSV-0054; C-0002.
    """
    for rule in maps(obj.body.get("rules")):
        granted = sorted(BECOMING.intersection(texts(rule.get("resources"))))
        granted += ["impersonate"] if "impersonate" in texts(rule.get("verbs")) else []
        if granted:
            yield Finding(f"a rule grants {', '.join(granted)}", "remove it")


@object_rule("DC-RBAC-008", "Roles do not grant rights or change admission", kinds=ROLES)
def grants_rights(obj: Obj, _index: Index) -> Findings:
    """A role must not have the verbs `escalate` or `bind`, nor write roles, bindings or admission webhooks.

    Why: who can grant rights has all of them.

    Fix: remove it; rights come from Git through Argo CD.

    Sources: KSV-0050, KSV-0051, KSV-0052, KSV-0114.
    """
    for rule in maps(obj.body.get("rules")):
        verbs = set(texts(rule.get("verbs")))
        granted = sorted(verbs & {"escalate", "bind"})
        if verbs & WRITING:
            written = (RIGHTS | WEBHOOKS).intersection(texts(rule.get("resources")))
            granted += [f"writing {resource}" for resource in sorted(written)]
        if granted:
            yield Finding(f"a rule grants {', '.join(granted)}", "remove it")


@object_rule("DC-RBAC-009", "Bindings grant a role that exists", kinds=BINDINGS)
def missing_role(obj: Obj, index: Index) -> Findings:
    """A binding in a namespace of ours names a Role, or a ClusterRole that is rendered or comes with every
    cluster.

    Why: a binding to nothing grants nothing, without an error. Where a chart lives, its roles are unknown,
    so nothing is said there.

    Fix: correct `roleRef.name`, or add the role.

    Sources: kube-linter dangling checks, the same idea.
    """
    reference = mapping(obj.body.get("roleRef"))
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    namespace = obj.namespace if kind == "Role" else ""
    if index.get(kind, namespace, name) is not None or (kind == "Role" and index.is_open(namespace)):
        return
    if kind == "ClusterRole" and (
        name.startswith("system:") or name in BUILT_IN_ROLES or index.chart_namespaces
    ):
        return
    yield Finding(f"it grants the {kind} {name}, which does not exist", "correct `roleRef.name`, or add it")
