"""The edge through Envoy Gateway's own translator: what the controller would say of each object.

`egctl x translate` (1.9.1; the chart brings 1.9.0) is the controller's code without a cluster. It sees one
file, so three things are done to its input:

- a listener that takes routes from namespaces by a selector takes them from all: egctl drops the labels of
  namespaces, so no selector would ever match (`unselected` looks at the selectors themselves);
- the certificates of listeners, which cert-manager makes, are stand-ins;
- what the edge does not refer to is left out.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from apiserver.pki import Pair

from cluster.admission_plane import unavailable

Object = dict[str, Any]

GROUPS = ("gateway.networking.k8s.io/", "gateway.envoyproxy.io/")
WANTED = {"Gateway": ("Programmed", "Accepted", "ResolvedRefs"), "HTTPRoute": ("Accepted", "ResolvedRefs")}
POLICIES = (
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "SecurityPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyPatchPolicy",
    "BackendTLSPolicy",
)
SECONDS = 120


class TranslateError(RuntimeError):
    """The translator did not take its input. The message is what it said."""


def require_egctl() -> str:
    """The translator on the PATH; without it the test is skipped, in CI it fails."""
    return shutil.which("egctl") or unavailable(
        "egctl is not on the PATH: `make tools TOOLS=egctl` builds it"
    )


def edge_objects(objects: Iterable[Object]) -> list[Object]:
    """What the translator wants: everything of the Gateway API and Envoy Gateway, and Services."""
    return [
        deepcopy(body)
        for body in objects
        if body["apiVersion"].startswith(GROUPS) or body["kind"] in ("Service", "Namespace")
    ]


def translate(objects: Iterable[Object], certificate: Pair, folder: Path) -> Object:
    """What becomes of the edge: `gateways`, `httpRoutes`, … with status; `infraIR` and `xdsIR`, the plan."""
    bodies = edge_objects(objects)
    file = folder / "edge.yaml"
    prepared = [*map(from_all, bodies), *certificates(bodies, certificate)]
    file.write_text("\n---\n".join(map(json.dumps, prepared)), encoding="utf-8")
    command = [
        require_egctl(),
        "x",
        "translate",
        "--from=gateway-api",
        "--to=gateway-api,ir",
        "-o=json",
        "-f",
    ]
    done = subprocess.run([*command, file], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise TranslateError(done.stderr.strip())
    outcome: Object = json.loads(done.stdout)
    return outcome


def from_all(body: Object) -> Object:
    """A Gateway whose listeners take routes from every namespace where they would choose by labels."""
    for listener in body["spec"].get("listeners", []) if body["kind"] == "Gateway" else []:
        namespaces = listener["allowedRoutes"]["namespaces"]
        if namespaces["from"] == "Selector":
            listener["allowedRoutes"]["namespaces"] = {"from": "All"}
    return body


def certificates(objects: Iterable[Object], pair: Pair) -> Iterator[Object]:
    """A Secret for every certificate that a listener names."""
    files = {"tls.crt": pair.certificate, "tls.key": pair.key}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    for gateway in (body for body in objects if body["kind"] == "Gateway"):
        for listener in gateway["spec"]["listeners"]:
            for reference in listener.get("tls", {}).get("certificateRefs", []):
                metadata = {"name": reference["name"], "namespace": gateway["metadata"]["namespace"]}
                secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
                yield {**secret, "type": "kubernetes.io/tls", "data": data}


def troubles(outcome: Object) -> list[str]:
    """What is not as it must be, in words; empty if the whole edge works.

    A policy whose target does not exist is not complained of: it has no ancestor, that is all.
    """
    found: list[str] = []
    for gateway in outcome["gateways"]:
        for listener in gateway["status"]["listeners"]:
            where = f"{name_of(gateway)}, listener {listener['name']}"
            found += _missing(where, listener["conditions"], WANTED["Gateway"])
    for route in outcome["httpRoutes"]:
        parents = route.get("status", {}).get("parents") or []
        found += [] if len(parents) == len(route["spec"]["parentRefs"]) else [f"{name_of(route)}: no parent"]
        for parent in parents:
            found += _missing(name_of(route), parent["conditions"], WANTED["HTTPRoute"])
    for policy in policies(outcome):
        ancestors = policy.get("status", {}).get("ancestors") or []
        found += [] if ancestors else [f"{name_of(policy)}: no ancestor, so it holds for nothing"]
        for ancestor in ancestors:
            found += _missing(name_of(policy), ancestor["conditions"], ("Accepted",))
    return found


def policies(outcome: Object) -> list[Object]:
    """Every policy of the outcome, of whatever kind."""
    lists = (bodies for bodies in outcome.values() if isinstance(bodies, list))
    return [body for bodies in lists for body in bodies if body["kind"] in POLICIES]


def unselected(objects: Iterable[Object]) -> list[str]:
    """Routes whose namespace their listener does not take, going by the labels of the namespaces."""
    bodies = list(objects)
    namespaces = {body["metadata"]["name"]: body for body in bodies if body["kind"] == "Namespace"}
    gateways = {identity(body): body for body in bodies if body["kind"] == "Gateway"}
    return [
        f"{name_of(route)}: listener {listener['name']} takes no routes from its namespace"
        for route in bodies
        if route["kind"] == "HTTPRoute"
        for parent in route["spec"]["parentRefs"]
        for listener in _listeners(gateways, route, parent)
        if not _takes(listener, parent, route, namespaces)
    ]


def identity(body: Object) -> tuple[str, str]:
    """(namespace, name)."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _listeners(gateways: Mapping[tuple[str, str], Object], route: Object, parent: Object) -> list[Object]:
    """Those that a route asks for."""
    own = route["metadata"]["namespace"]
    gateway = gateways[parent.get("namespace", own), parent["name"]]
    wanted = parent.get("sectionName")
    return [one for one in gateway["spec"]["listeners"] if wanted in (None, one["name"])]


def _takes(listener: Object, parent: Object, route: Object, namespaces: Mapping[str, Object]) -> bool:
    own = route["metadata"]["namespace"]
    allowed = listener["allowedRoutes"]["namespaces"]
    if allowed["from"] == "Selector":
        # The second label is put on every namespace by the API server.
        labels = namespaces[own]["metadata"]["labels"] | {"kubernetes.io/metadata.name": own}
        return bool(allowed["selector"]["matchLabels"].items() <= labels.items())
    return bool(allowed["from"] == "All" or parent.get("namespace", own) == own)


def name_of(body: Object) -> str:
    """`HTTPRoute shop/shop-backend`."""
    metadata = body["metadata"]
    return f"{body['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _missing(where: str, conditions: list[Object], wanted: Iterable[str]) -> Iterator[str]:
    said = {condition["type"]: condition for condition in conditions}
    for kind in wanted:
        condition = said.get(kind, {"status": "not said", "reason": "", "message": ""})
        if condition["status"] != "True":
            yield f"{where}: {kind} is {condition['status']}, {condition['reason']}: {condition['message']}"
