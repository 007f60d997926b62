"""What every ServiceAccount may do, asked of a real API server, is what the committed table says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apiserver.control_plane import ControlPlane
from conftest import Golden

from cluster.admission_plane import ENVIRONMENTS, Object, as_list, objects, require_assets
from cluster.rbac_review import is_rbac, permissions, service_accounts

pytestmark = pytest.mark.cluster

TABLE = Path(__file__).with_name("rbac_table.md")
HEAD = """# What each ServiceAccount may do

Beyond what every ServiceAccount may (look at the API's own pages, ask about itself). Asked of a real API
server that holds what is rendered; charts bring accounts and rights of their own, which are not in here.
Written by `make test-cluster ARGS="-k rbac --update"`: read the difference.
"""


def role(name: str, **rule: list[str]) -> Object:
    """A ClusterRole with one rule."""
    metadata = {"name": name}
    return {"apiVersion": GROUP, "kind": "ClusterRole", "metadata": metadata, "rules": [rule]}


def binding(name: str, account: str, namespace: str = "") -> Object:
    """Gives an account (`namespace/name`) the ClusterRole of that name, in a namespace or everywhere."""
    home, _, subject = account.partition("/")
    return {
        "apiVersion": GROUP,
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, "namespace": namespace} if namespace else {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": subject, "namespace": home}],
    }


GROUP = "rbac.authorization.k8s.io/v1"
TOO_MUCH = [
    role("reads-secrets", apiGroups=[""], resources=["secrets"], verbs=["get", "list"]),
    binding("reads-secrets", "shop/shop-backend", "shop"),
    role("reads-metrics", nonResourceURLs=["/metrics"], verbs=["get"]),
    binding("reads-metrics", "argocd/default"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with every namespace: rights need no controllers, and no ServiceAccount has to exist."""
    names = sorted({name for environment in ENVIRONMENTS for name in own_namespaces(objects(environment))})
    bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    with ControlPlane(require_assets(), tmp_path_factory.mktemp("rbac")) as cluster:
        cluster.kubectl("create", "-f", "-", text=as_list(bodies))
        yield cluster


def own_namespaces(bodies: list[Object]) -> list[str]:
    """Those that an environment makes."""
    return [body["metadata"]["name"] for body in bodies if body["kind"] == "Namespace"]


@contextmanager
def held(cluster: ControlPlane, bodies: list[Object]) -> Iterator[None]:
    """Roles and bindings are in the API server for a while."""
    if bodies:
        cluster.kubectl("create", "-f", "-", text=as_list(bodies))
    yield
    if bodies:
        cluster.kubectl("delete", "-f", "-", text=as_list(bodies))


def rights(cluster: ControlPlane, bodies: list[Object]) -> list[str]:
    """What the accounts of these objects may do, in our namespaces and in those that every cluster has."""
    namespaces = [*own_namespaces(bodies), "default", "kube-system"]
    return permissions(cluster, service_accounts(bodies), namespaces)


def section(environment: str, lines: list[str]) -> str:
    """The table of one environment; accounts without any right are in it, too."""
    able = {line.partition(" · ")[0] for line in lines}
    unable = [account for account in service_accounts(objects(environment)) if account not in able]
    rows = sorted([*lines, *(f"{account} · nothing" for account in unable)])
    return f"\n## {environment}\n\n" + "".join(f"- {row}\n" for row in rows)


def test_the_rights_of_every_service_account_are_those_of_the_table(
    cluster: ControlPlane, golden: Golden
) -> None:
    text = HEAD
    for environment in ENVIRONMENTS:
        bodies = objects(environment)
        with held(cluster, [body for body in bodies if is_rbac(body)]):
            text += section(environment, rights(cluster, bodies))
    golden(TABLE, text)


def test_a_right_too_many_is_seen(cluster: ControlPlane) -> None:
    with held(cluster, TOO_MUCH):
        assert rights(cluster, objects("dev")) == [
            "argocd/default · everywhere · get /metrics",
            "shop/shop-backend · shop · get,list secrets",
        ]
