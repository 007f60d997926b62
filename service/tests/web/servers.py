"""The real shop, the real nginx with the storefront's configuration, a backend that does as it is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from shop.catalogue.snapshot import stock_state

SERVICE = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""Seconds after which a condition is taken for one that never comes."""


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first truth that `condition` gives."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"in {PATIENCE:.0f} s never: {what}")


@dataclass
class Seen:
    """A request that reached the backend."""

    path: str
    headers: dict[str, str]
    connection: int


@dataclass
class Backend:
    """Answers every GET with `status`, `headers` and `body`, and remembers who asked."""

    status: int = 200
    body: bytes = b'{"items":[]}'
    headers: dict[str, str] = field(
        default_factory=lambda: {
            "Content-Type": "application/json",
            "ETag": '"one"',
            "Vary": "Accept-Encoding",
        }
    )
    delay: float = 0.0
    seen: list[Seen] = field(default_factory=list)

    def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                backend.seen.append(Seen(self.path, dict(self.headers), self.client_address[1]))
                time.sleep(backend.delay)
                self.send_response(backend.status)
                for name, value in backend.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(backend.body)))
                self.end_headers()
                self.wfile.write(backend.body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Nginx:
    """nginx as the image runs it, but with its files in `folder` and on free ports."""

    def __init__(self, folder: Path, pages: Path, backend_url: str) -> None:
        if shutil.which("nginx") is None:
            if os.environ.get("CI") == "true":
                raise AssertionError(
                    "CI must have nginx with njs: apt-get install nginx-light libnginx-mod-http-js"
                )
            pytest.skip("no nginx")
        self.folder = folder
        self.port, self.metrics_port = free_port(), free_port()
        self.log = folder / "log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "SHOP_BACKEND_URL": backend_url,
            "SHOP_ENVIRONMENT": "dev",
            "NGINX_PAGES": str(pages),
            "NGINX_STATE": str(folder / "state"),
            "NGINX_PORT": str(self.port),
            "NGINX_METRICS_PORT": str(self.metrics_port),
        }

    def start(self) -> None:
        """Run it until it answers."""
        entrypoint = [str(SERVICE / "nginx" / "entrypoint.sh")]
        # Worker processes of a root are another user's, who may not read a test's folder.
        arguments = ["-g", "user root;"] if os.getuid() == 0 else []
        with self.log.open("wb") as log, (self.folder / "errors").open("wb") as errors:
            self.process = subprocess.Popen(
                entrypoint + arguments,
                env=self.environment,
                stdout=log,
                stderr=errors,
                start_new_session=True,
            )
        until(self._answers, f"nginx answers: {(self.folder / 'errors').read_text()}")

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "errors").read_text()
        try:
            return httpx.get(f"{self.url}/livez").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def quit(self) -> int:
        """SIGQUIT, as the image says; the exit status."""
        self.process.send_signal(signal.SIGQUIT)
        return self.process.wait(PATIENCE)

    def metrics(self) -> dict[str, float]:
        """What port 9000 says now."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def cached(self, result: str) -> float:
        """How often the cache gave `result`."""
        return self.metrics()[f'shop_frontend_cache_requests_total{{result="{result}"}}']


@dataclass
class RealShop:
    """`shop demo`, as on a laptop."""

    url: str
    database: Path
    log: Path

    def execute(self, statement: str, *values: Any) -> list[Any]:
        """One statement in its database."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def product(self, pieces: int) -> tuple[str, str]:
        """Slug and Bangla name of a product of which there are so many from now on."""
        self._next = getattr(self, "_next", 0) + 1
        identity, slug, name = self.execute(
            "SELECT id, slug, name_bn FROM product WHERE active ORDER BY id LIMIT 1 OFFSET ?", self._next
        )[0]
        self.execute("UPDATE stock SET available = ? WHERE product_id = ?", pieces, identity)
        self.execute("UPDATE catalogue_version SET version = version + 1")
        wanted = stock_state(pieces)
        until(lambda: self.stock(slug) == wanted, f"{slug} is {wanted}")
        return slug, name

    def stock(self, slug: str) -> str:
        """What the catalogue says of it."""
        said: str = httpx.get(f"{self.url}/api/v1/products/{slug}").json()["stock"]
        return said

    def orders(self) -> int:
        """How many there are."""
        count: int = self.execute("SELECT count(*) FROM orders")[0][0]
        return count


@contextmanager
def serving(pages: Path, folder: Path, *arguments: str, **settings: str) -> Iterator[RealShop]:
    """`shop demo` with its database in `folder`; it ends by SIGTERM, and well."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHOP_")},
        "SHOP_DATABASE_PATH": str(folder / "shop.sqlite3"),
        "SHOP_PORT": str(free_port()),
        "SHOP_CHECKOUTS_PER_MINUTE": "1000",
        **settings,
    }
    command = [sys.executable, "-m", "shop", "demo", "--web", str(pages), *arguments]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{environment['SHOP_PORT']}"

    def ready() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return httpx.get(f"{url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(ready, "the shop is ready")
        yield RealShop(url, folder / "shop.sqlite3", folder / "log")
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(PATIENCE)
    assert status == 0
