"""One request to the API server, also in the name of somebody else. kubectl takes a hundred times as long."""

from __future__ import annotations

import json
import ssl
import urllib.request
from functools import cache
from typing import Any

from apiserver.control_plane import ControlPlane

Object = dict[str, Any]


@cache
def _tls(cluster: ControlPlane) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(cluster.pki.ca.certificate))
    context.load_cert_chain(cluster.pki.admin.certificate, cluster.pki.admin.key)
    return context


def ask(cluster: ControlPlane, path: str, body: Object | None = None, *, user: str = "") -> Object:
    """The JSON that a path answers with; with a `body` it is posted. `user` is who asks (impersonation)."""
    headers = {"Content-Type": "application/json"} | ({"Impersonate-User": user} if user else {})
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(cluster.url + path, sent, headers)
    with urllib.request.urlopen(request, timeout=30, context=_tls(cluster)) as answer:
        found: Object = json.load(answer)
    return found
