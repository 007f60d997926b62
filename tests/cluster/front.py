"""One metrics-server out of two, without their OpenAPI document: `python -m cluster.front FILE`.

Two, because one refuses to look at pods more often than every 10 s: they take turns, and the fresher answer
counts.

metrics-server 0.9.0 built with Go 1.27 writes its OpenAPI document with the names of Go fields
(`SchemaProps`, `ArbitraryKeys`) for keys. The API server merges it into its own, and then fails to give
Argo CD that as protobuf: "the server is currently unable to handle the request", and nothing is ever synced.

FILE is JSON: `port` to listen on, `backends` are the ports of both, and the paths `ca`, `certificate` and
`key` of the server, `proxy_certificate` and `proxy_key` of the front proxy, as which requests are passed on.
"""

from __future__ import annotations

import http.client
import http.server
import json
import ssl
import sys
from pathlib import Path
from typing import Any, NamedTuple

HIDDEN = "/openapi"
PASSED = ("accept", "x-remote-user", "x-remote-group", "x-remote-uid")


class Answer(NamedTuple):
    """What one metrics-server says."""

    status: int
    kind: str
    content: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes every GET on, over connections that last as long as the client's own."""

    protocol_version = "HTTP/1.1"
    backends: tuple[int, ...] = ()
    tls: ssl.SSLContext

    def setup(self) -> None:
        """One connection to each, opened when first asked: a handshake costs more than an answer."""
        super().setup()
        self._kept = {
            port: http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=self.tls)
            for port in self.backends
        }

    def finish(self) -> None:
        """The client is gone."""
        for connection in self._kept.values():
            connection.close()
        super().finish()

    def do_GET(self) -> None:
        """Answer with the best of what both say."""
        if self.path.startswith(HIDDEN):
            self._answer(Answer(http.HTTPStatus.NOT_FOUND, "text/plain", b"not served\n"))
            return
        self._answer(max((self._ask(port) for port in self.backends), key=worth))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base's name)
        """Say nothing of each request."""

    def _ask(self, port: int) -> Answer:
        try:
            return self._pass_on(self._kept[port])
        except (http.client.HTTPException, OSError):  # one that was kept may have been closed meanwhile
            self._kept[port].close()
        try:
            return self._pass_on(self._kept[port])
        except (http.client.HTTPException, OSError) as error:
            self._kept[port].close()
            return Answer(http.HTTPStatus.BAD_GATEWAY, "text/plain", f"metrics-server: {error}\n".encode())

    def _pass_on(self, connection: http.client.HTTPSConnection) -> Answer:
        connection.putrequest("GET", self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() == "accept":
                connection.putheader(name, JSON)
            elif name.lower() in PASSED:
                connection.putheader(name, value)
        connection.endheaders()
        said = connection.getresponse()
        return Answer(said.status, said.getheader("Content-Type") or JSON, said.read())

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)


JSON = "application/json"  # every client of the API server is content with it, and it can be compared


def worth(answer: Answer) -> tuple[bool, int, str]:
    """The greater, the better: an answer at all, of more pods or nodes, of a later time."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = {}
    items = said.get("items", [said]) if isinstance(said, dict) else []
    measured = [each["timestamp"] for each in items if isinstance(each, dict) and "timestamp" in each]
    return answer.status == http.HTTPStatus.OK, len(measured), max(measured, default="")


def main() -> None:
    """Serve until ended. Only who has a certificate of the CA is answered: the API server."""
    said = json.loads(Path(sys.argv[1]).read_text())
    Handler.backends = tuple(said["backends"])
    Handler.tls = ssl.create_default_context()
    Handler.tls.check_hostname = False
    Handler.tls.verify_mode = ssl.CERT_NONE  # metrics-server makes its certificate itself
    Handler.tls.load_cert_chain(said["proxy_certificate"], said["proxy_key"])
    incoming = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=said["ca"])
    incoming.load_cert_chain(said["certificate"], said["key"])
    incoming.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", said["port"]), Handler, bind_and_activate=False)
    server.socket = incoming.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.server_bind()
    server.server_activate()
    server.serve_forever()


if __name__ == "__main__":
    main()
