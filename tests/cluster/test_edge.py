"""The edge, judged by Envoy Gateway's own translator; planted faults are seen by the same assertions."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from apiserver.control_plane import ControlPlane
from apiserver.pki import Pair, make_pki

from cluster.admission_plane import ENVIRONMENTS, ROOT, Object, objects, require_assets
from cluster.edge_infra import Port, listener_ports, patched, service
from cluster.edge_translate import (
    POLICIES,
    TranslateError,
    name_of,
    policies,
    require_egctl,
    translate,
    troubles,
    unselected,
)

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Edge:
    """An environment's objects, and what the translator made of them."""

    environment: str
    objects: list[Object]
    outcome: Object

    def one(self, kind: str, name: str = "shop") -> Object:
        """The object of a kind and name."""
        return one(self.objects, kind, name)

    @property
    def plan(self) -> Object:
        """The proxies of the Gateway `edge/shop`, and what they listen on."""
        proxy: Object = self.outcome["infraIR"]["edge/shop"]["proxy"]
        return proxy

    @property
    def routes(self) -> list[Object]:
        """Every way through the HTTPS listener, first match first."""
        listeners = {one["name"]: one for one in self.outcome["xdsIR"]["edge/shop"]["http"]}
        found: list[Object] = listeners["edge/shop/https"]["routes"]
        return found


def one(bodies: list[Object], kind: str, name: str) -> Object:
    """The object of a kind and name."""
    [found] = [body for body in bodies if body["kind"] == kind and body["metadata"]["name"] == name]
    return found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """For the listeners; cert-manager makes the real one."""
    return make_pki(tmp_path_factory.mktemp("pki")).server


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def edge(request: pytest.FixtureRequest, certificate: Pair, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    name = str(request.param)
    require_egctl()
    return Edge(name, objects(name), translate(objects(name), certificate, tmp_path_factory.mktemp(name)))


def test_everything_is_accepted_resolved_and_programmed(edge: Edge) -> None:
    assert troubles(edge.outcome) == []
    [accepted] = edge.outcome["gatewayClass"]["status"]["conditions"]
    assert (accepted["type"], accepted["status"]) == ("Accepted", "True")


def test_nothing_was_left_out(edge: Edge) -> None:
    kinds = {"Gateway", "HTTPRoute", *POLICIES}
    given = {name_of(body) for body in edge.objects if body["kind"] in kinds}
    seen = [*edge.outcome["gateways"], *edge.outcome["httpRoutes"], *policies(edge.outcome)]
    assert given == {name_of(body) for body in seen}
    assert {kind for kind in kinds if any(name.startswith(f"{kind} ") for name in given)} == {
        "Gateway",
        "HTTPRoute",
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
    }


def test_listeners_take_routes_from_the_namespaces_that_have_them(edge: Edge) -> None:
    assert unselected(edge.objects) == []
    wrong = deepcopy(edge.objects)
    listener = one(wrong, "Gateway", "shop")["spec"]["listeners"][1]
    listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"] = {"team": "nobody"}
    assert unselected(wrong) == [
        f"HTTPRoute shop/{name}: listener https takes no routes from its namespace"
        for name in ("shop-backend", "shop-frontend")
    ]


def test_the_load_balancer_finds_the_proxies_at_the_fixed_node_ports(
    edge: Edge, kubectl: ControlPlane
) -> None:
    gateway, proxy = edge.one("Gateway"), edge.one("EnvoyProxy")
    planned = [
        Port(port["name"], port["servicePort"], port["containerPort"])
        for listener in edge.plan["listeners"]
        for port in listener["ports"]
    ]
    assert planned == listener_ports(gateway)
    settings = proxy["spec"]["provider"]["kubernetes"]["envoyService"]
    made = patched(kubectl, service(gateway, proxy, planned), settings["patch"])
    assert made["spec"]["type"] == "NodePort"
    assert made["spec"]["ports"] == [
        {
            "name": name,
            "protocol": "TCP",
            "port": port,
            "targetPort": target,
            "nodePort": node_ports(edge)[at],
        }
        for name, port, target, at in (("http-80", 80, 10080, "http"), ("https-443", 443, 10443, "https"))
    ]


def node_ports(edge: Edge) -> dict[str, int]:
    """What the environment's file says, or what holds where it says nothing."""
    file = ROOT / "environments" / f"{edge.environment}.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {"http": 30080, "https": 30443, **said.get("edge", {}).get("nodePorts", {})}


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """Only its kubectl is used, for what needs no server."""
    plane = ControlPlane(require_assets(), tmp_path_factory.mktemp("kubectl"))
    plane.kubeconfig.write_text("{}")
    return plane


def test_the_network_lets_the_load_balancer_reach_exactly_the_listeners(edge: Edge) -> None:
    listening = {port["containerPort"] for listener in edge.plan["listeners"] for port in listener["ports"]}
    rules = edge.one("NetworkPolicy", "envoy")["spec"]["ingress"]
    let_in = {port["port"] for rule in rules if "ipBlock" in rule["from"][0] for port in rule["ports"]}
    assert let_in == listening


def test_each_path_is_under_the_limits_of_the_contract(edge: Edge) -> None:
    """docs/service-contract.md, "Paths that the edge knows": who answers, how long, how often one may ask."""
    overall, checkout = rate(edge.one("BackendTrafficPolicy")), rate(policy(edge, "shop-checkout"))
    expected = {
        "/api/v1/products": ("shop-frontend", "15s", [overall]),
        "/api/v1/orders": ("shop-backend", "40s", [checkout, overall]),
        "/api/v1/sessions": ("shop-backend", "40s", [checkout, overall]),
        "/api/v1/payments": ("shop-backend", "40s", [(1000, "Second")]),
        "/api": ("shop-backend", "15s", [overall]),
        "/": ("shop-frontend", "15s", [overall]),
    }
    if not any(body["metadata"]["name"] == "shop-payments" for body in edge.objects):
        del expected["/api/v1/payments"]
    assert {path_of(route): seen(route) for route in edge.routes} == expected


def policy(edge: Edge, name: str) -> Object:
    """A BackendTrafficPolicy."""
    return edge.one("BackendTrafficPolicy", name)


def rate(policy: Object) -> tuple[int, str]:
    """(requests, unit) of its only limit."""
    [rule] = policy["spec"]["rateLimit"]["local"]["rules"]
    return rule["limit"]["requests"], rule["limit"]["unit"]


def path_of(route: Object) -> str:
    """The prefix that it takes."""
    prefix: str = route["pathMatch"]["prefix"]
    return prefix


def seen(route: Object) -> tuple[str, str, list[tuple[int, str]]]:
    """(who is asked, for how long, which limits hold)."""
    [setting] = route["destination"]["settings"]
    limits = route["traffic"]["rateLimit"]["local"]["rules"]
    limited = [(rule["limit"]["requests"], rule["limit"]["unit"]) for rule in limits]
    return setting["metadata"]["name"], route["timeout"], limited


# --- planted faults


def test_planted_faults_are_noticed(certificate: Pair, tmp_path: Path) -> None:
    wrong = deepcopy(objects("prod"))
    backend, frontend = one(wrong, "HTTPRoute", "shop-backend"), one(wrong, "HTTPRoute", "shop-frontend")
    backend["spec"]["rules"][2]["backendRefs"][0]["port"] = 8001
    frontend["spec"]["parentRefs"][0]["sectionName"] = "htps"
    one(wrong, "BackendTrafficPolicy", "shop-checkout")["spec"]["targetRefs"][0]["name"] = "shop-bakend"
    one(wrong, "ClientTrafficPolicy", "shop")["spec"]["targetRefs"][0]["name"] = "shoop"
    said = troubles(translate(wrong, certificate, tmp_path))
    expected = (
        "HTTPRoute shop/shop-backend: ResolvedRefs is False, PortNotFound",
        "HTTPRoute shop/shop-frontend: Accepted is False, NoMatchingParent",
        "BackendTrafficPolicy shop/shop-checkout: no ancestor",
        "ClientTrafficPolicy edge/shop: no ancestor",
    )
    missed = [words for words in expected if not any(line.startswith(words) for line in said)]
    assert (missed, len(said)) == ([], len(expected)), said


def test_a_listener_without_its_certificate_is_noticed(certificate: Pair, tmp_path: Path) -> None:
    wrong = deepcopy(objects("dev"))
    listener = one(wrong, "Gateway", "shop")["spec"]["listeners"][1]
    listener["tls"]["certificateRefs"][0]["namespace"] = "shop"
    said = "\n".join(troubles(translate(wrong, certificate, tmp_path)))
    assert "Gateway edge/shop, listener https: Programmed is False" in said


def test_a_misspelt_field_is_refused(certificate: Pair, tmp_path: Path) -> None:
    wrong = deepcopy(objects("dev"))
    one(wrong, "BackendTrafficPolicy", "shop")["spec"]["ratelimit"] = {}
    with pytest.raises(TranslateError, match="ratelimit"):
        translate(wrong, certificate, tmp_path)
