"""What the API server lets each ServiceAccount do, asked of the API server itself.

The same question as `kubectl auth can-i --list --as=system:serviceaccount:NAMESPACE:NAME`, without what every
ServiceAccount may do anyway (look at the API's own pages, ask about itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from apiserver.control_plane import ControlPlane

from cluster.rbac_api import ask

Object = dict[str, Any]
Rule = tuple[str, str, str]
"""(verbs, resources or paths, names), each a list joined by commas."""

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
RBAC = "rbac.authorization.k8s.io/"
NOBODY = "default/nobody"
"""A ServiceAccount that nothing is bound to; what it may do, all may."""


def permissions(cluster: ControlPlane, accounts: Iterable[str], namespaces: Iterable[str]) -> list[str]:
    """Lines `account · where · verbs resources [names]` of what goes beyond what all may, sorted."""
    everywhere = list(namespaces)
    common = {place: rules(cluster, NOBODY, place) for place in everywhere}
    return sorted(
        line
        for account in accounts
        for line in _lines(account, {at: rules(cluster, account, at) - common[at] for at in everywhere})
    )


def rules(cluster: ControlPlane, account: str, namespace: str) -> frozenset[Rule]:
    """All that an account (`namespace/name`) may do in a namespace, or with what has none."""
    namespace_of_account, name = account.split("/")
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    user = f"system:serviceaccount:{namespace_of_account}:{name}"
    status = ask(cluster, REVIEW, {**body, "spec": {"namespace": namespace}}, user=user)["status"]
    assert not status["incomplete"], status
    return frozenset([*_resource_rules(status), *_path_rules(status)])


def service_accounts(objects: Iterable[Object]) -> list[str]:
    """`namespace/name` of every ServiceAccount rendered, of each namespace's own, and of those bound."""
    found = set[str]()
    for body in objects:
        metadata = body["metadata"]
        if body["kind"] == "ServiceAccount":
            found.add(f"{metadata['namespace']}/{metadata['name']}")
        elif body["kind"] == "Namespace":
            found.add(f"{metadata['name']}/default")
        elif body["kind"].endswith("RoleBinding"):
            found.update(
                f"{subject['namespace']}/{subject['name']}"
                for subject in body["subjects"]
                if subject["kind"] == "ServiceAccount"
            )
    return sorted(found)


def is_rbac(body: Object) -> bool:
    """Whether an object is a role or a binding."""
    return bool(body["apiVersion"].startswith(RBAC))


def _lines(account: str, extra: dict[str, frozenset[Rule]]) -> Iterator[str]:
    """One line a right: `everywhere` if it is had in every namespace, or needs none."""
    for rule in frozenset().union(*extra.values()):
        places = [place for place, rules in extra.items() if rule in rules]
        where = "everywhere" if len(places) == len(extra) else ", ".join(places)
        yield f"{account} · {where} · {' '.join(part for part in rule if part)}"


def _resource_rules(status: Object) -> Iterator[Rule]:
    for rule in status["resourceRules"]:
        groups = rule["apiGroups"]
        resources = [f"{name}.{group}" if group else name for group in groups for name in rule["resources"]]
        yield _joined(rule["verbs"]), _joined(resources), _joined(rule.get("resourceNames", []))


def _path_rules(status: Object) -> Iterator[Rule]:
    for rule in status["nonResourceRules"]:
        yield _joined(rule["verbs"]), _joined(rule["nonResourceURLs"]), ""


def _joined(words: Iterable[str]) -> str:
    return ",".join(sorted(words))
