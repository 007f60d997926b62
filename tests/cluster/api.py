"""A small client of the Kubernetes API, for what is asked often: kubectl takes 100 ms a call, this takes 3.

A resource is named as in a URL: `v1/pods`, `apps/v1/deployments`, `argoproj.io/v1alpha1/applications`.
Objects are plain dicts. Safe to use from several threads: each has a connection of its own.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from apiserver.pki import Pair

Object = dict[str, Any]

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML, too
MANAGER = "test-bed"


class ApiError(RuntimeError):
    """The API server refused a request. `status` is HTTP's: 404 not found, 409 conflict, 422 invalid."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server on a port of 127.0.0.1, as the holder of a client certificate."""

    def __init__(self, port: int, ca: Pair, client: Pair) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(ca.certificate))
        self._tls.load_cert_chain(client.certificate, client.key)
        self._own = threading.local()
        self._opened: set[http.client.HTTPSConnection] = set()
        self._plurals: dict[str, dict[str, str]] = {}

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; ApiError with status 404 if it is not there."""
        return self._json("GET", _path(resource, namespace, name))

    def find(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """One object, None if it is not there."""
        try:
            return self.get(resource, name, namespace)
        except ApiError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects of a namespace, or of all. `labels` and `fields` select: `app=shop,tier!=web`."""
        return list(self._list(resource, namespace, labels, fields)["items"])

    def create(self, resource: str, body: Object, namespace: str = "", *, dry_run: bool = False) -> Object:
        """Create an object, or only have it judged; ApiError with status 409 if there is one of its name."""
        return self._json("POST", _path(resource, namespace) + ("?dryRun=All" if dry_run else ""), body)

    def patch(
        self, resource: str, name: str, body: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """Merge-patch an object: None removes a field. `subresource` as in `status` or `scale`."""
        return self._json("PATCH", _path(resource, namespace, name, subresource), body, MERGE)

    def apply(
        self,
        resource: str,
        name: str,
        body: Object | bytes,
        namespace: str = "",
        *,
        manager: str = MANAGER,
        subresource: str = "",
    ) -> Object:
        """Server-side apply, taking over from other managers; `body` is an object or YAML text."""
        query = f"?fieldManager={urllib.parse.quote(manager)}&force=true"
        return self._json("PATCH", _path(resource, namespace, name, subresource) + query, body, APPLY)

    def delete(self, resource: str, name: str, namespace: str = "") -> None:
        """Delete an object, its dependants in the background. Harmless if it is not there."""
        try:
            self._json("DELETE", _path(resource, namespace, name), {"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise

    def watch(self, resource: str, namespace: str = "", *, timeout: float = 3600) -> Iterator[Object]:
        """Events {type: ADDED | MODIFIED | DELETED, object: …}: first what is there, then what changes.

        Ends after `timeout` seconds, or when the server closes the connection.
        """
        listed = self._list(resource, namespace)
        for item in listed["items"]:
            yield {"type": "ADDED", "object": item}
        since = listed["metadata"]["resourceVersion"]
        query = f"?watch=true&resourceVersion={since}&timeoutSeconds={int(timeout)}"
        connection = self._connect(timeout + 5)
        try:
            connection.request("GET", _path(resource, namespace) + query)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise ApiError(answer.status, answer.read().decode(errors="replace"))
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def plural(self, version: str, kind: str) -> str:
        """The name that a kind of a group and version goes by in URLs; KeyError if there is no such kind."""
        if version not in self._plurals:
            found = self._json("GET", f"/apis/{version}" if "/" in version else f"/api/{version}")
            served = {each["kind"]: each["name"] for each in found["resources"] if "/" not in each["name"]}
            self._plurals[version] = served
        return self._plurals[version][kind]

    def raw(self, method: str, path: str, body: bytes | None = None, kind: str = MERGE) -> tuple[int, bytes]:
        """(status, content) of any path, as in `/readyz`."""
        for attempt in (1, 2):  # a kept connection may have been closed by the server
            connection = getattr(self._own, "connection", None) or self._connect(30)
            self._own.connection = connection
            self._opened.add(connection)
            try:
                connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close this thread's connection, as a thread should that ends; a later request opens another."""
        if connection := getattr(self._own, "connection", None):
            connection.close()
            self._opened.discard(connection)
            self._own.connection = None

    def close_all(self) -> None:
        """Close the connections of every thread, as when the server ends."""
        while self._opened:
            self._opened.pop().close()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=timeout, context=self._tls)

    def _list(self, resource: str, namespace: str, labels: str = "", fields: str = "") -> Object:
        chosen = {"labelSelector": labels, "fieldSelector": fields}
        query = urllib.parse.urlencode({name: text for name, text in chosen.items() if text})
        return self._json("GET", f"{_path(resource, namespace)}?{query}")

    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        kind: str = "application/json",
    ) -> Object:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, content = self.raw(method, path, sent, kind)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(status, _message(content) or f"{method} {path}: HTTP status {status}")
        found: Object = json.loads(content)
        return found


def _path(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    version, _, plural = resource.rpartition("/")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    parts = [root, *(["namespaces", namespace] if namespace else []), plural, name, subresource]
    return "/".join(part for part in parts if part)


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()
