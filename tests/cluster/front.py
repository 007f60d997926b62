"""A front of metrics-server that hides its OpenAPI document: `python -m cluster.front FILE`.

metrics-server 0.9.0 built with Go 1.27 writes that document with the names of Go fields (`SchemaProps`,
`ArbitraryKeys`) for keys. The API server merges it into its own, and then fails to give Argo CD that as
protobuf: "the server is currently unable to handle the request", and nothing is ever synced.

FILE is JSON: `port` to listen on, `backend` is metrics-server's port, and the paths `ca`, `certificate` and
`key` of the server, `proxy_certificate` and `proxy_key` of the front proxy, as which requests are passed on.
"""

from __future__ import annotations

import http.client
import http.server
import json
import ssl
import sys
from pathlib import Path
from typing import Any

HIDDEN = "/openapi"
PASSED = ("accept", "x-remote-user", "x-remote-group", "x-remote-uid")


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes every GET on, a connection each."""

    protocol_version = "HTTP/1.1"
    backend = 0
    tls: ssl.SSLContext

    def do_GET(self) -> None:
        """Answer with what metrics-server says."""
        if self.path.startswith(HIDDEN):
            self._answer(http.HTTPStatus.NOT_FOUND, "text/plain", b"not served\n")
            return
        connection = http.client.HTTPSConnection("127.0.0.1", self.backend, timeout=10, context=self.tls)
        try:
            connection.putrequest("GET", self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() in PASSED:
                    connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheader("Content-Type", "text/plain"), answer.read())
        except OSError as error:
            self._answer(http.HTTPStatus.BAD_GATEWAY, "text/plain", f"metrics-server: {error}\n".encode())
        finally:
            connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base's name)
        """Say nothing of each request."""

    def _answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve until ended. Only who has a certificate of the CA is answered: the API server."""
    said = json.loads(Path(sys.argv[1]).read_text())
    Handler.backend = said["backend"]
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
