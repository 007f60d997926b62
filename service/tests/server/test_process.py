"""The real process: how it starts, what it does with bad clients, how it ends without dropping anything."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from shop.cli import seed
from shop.database.migrate import migrate
from shop.secret_file import SecretFile
from shop.settings import Settings
from tests.conftest import sqlite_settings
from tests.postgresql import Postgres, free_port
from tests.server.conftest import GOODS

pytestmark = pytest.mark.slow
CART = json.dumps({"lines": [{"product": GOODS[0].slug, "quantity": 1}], "language": "en"}).encode()
HEAD = b"POST /api/v1/cart HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
CART_HEAD = HEAD + b"Content-Length: %d\r\n\r\n" % len(CART)
GET = b"GET /api/v1/products HTTP/1.1\r\nHost: shop\r\n\r\n"


@dataclass
class Server:
    """A running `shop serve`."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    def connect(self, seconds: float = 15.0) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def status(self, path: str, port: int | None = None) -> int:
        """Of a GET on a connection of its own."""
        try:
            with urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=15) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code

    def order(self) -> int:
        """Place a new order; its status."""
        shipping = {"name": "A Shopper", "phone": "01712345678", "district": "dhaka", "address": "House 1"}
        lines = [{"product": GOODS[0].slug, "quantity": 1}]
        body = {"lines": lines, "payment": "cod", "language": "en", "shipping": shipping}
        request = Request(
            f"http://127.0.0.1:{self.port}/api/v1/orders",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)},
        )
        try:
            with urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code

    def resident_mebibytes(self) -> float:
        """Memory in use."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


@contextlib.contextmanager
def serving(folder: Path, **more: str) -> Iterator[Server]:
    """`shop serve` with its database in `folder`, alive; killed at the end where it still runs."""
    port, metrics_port = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    environment |= {"SHOP_PORT": str(port), "SHOP_METRICS_PORT": str(metrics_port)}
    environment |= {"SHOP_DATABASE_PATH": str(folder / "shop.sqlite3"), **more}
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shop", "serve"], env=environment, stdout=output, stderr=output, cwd=folder
        )
    server = Server(process, port, metrics_port, log)
    try:
        until(lambda: server.status("/livez") == 200, process)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(true: object, process: subprocess.Popen[bytes] | None = None, seconds: float = 60.0) -> None:
    """Wait until a condition holds; a server that does not listen yet makes it false."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while True:
        assert process is None or process.poll() is None, "it ended"
        with contextlib.suppress(URLError, ConnectionError):
            if true():
                return
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of the next answer."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65_536)
        if not more:
            return got, b""
        got += more
    head, body = got.split(b"\r\n\r\n", 1)
    length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head, body


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """With a database that holds a few goods."""
    await seed.run(await sqlite_settings(tmp_path), GOODS)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """A shop that is ready."""
    with serving(folder) as made:
        until(lambda: made.status("/readyz") == 200, made.process)
        yield made


def test_sigterm_drops_nothing(server: Server) -> None:
    """Not ready first, requests under way are finished, then their connections closed; status 0."""
    with server.connect() as slow, server.connect() as kept, server.connect() as late:
        kept.sendall(GET)
        assert b"connection: close" not in answer(kept)[0]
        slow.sendall(CART_HEAD + CART[:10])
        late.sendall(CART_HEAD)
        metric = "shop_http_requests_in_flight 2.0"
        until(lambda: metric in urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics").read().decode())
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.status("/readyz") == 503)
        assert server.status("/livez") == 200
        kept.sendall(GET)
        head, body = answer(kept)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in head
        assert json.loads(body)["items"]
        assert server.process.poll() is None, "two are still under way"
        for connection in (slow, late):
            connection.sendall(CART[10:] if connection is slow else CART)
            head, body = answer(connection)
            assert head.startswith(b"HTTP/1.1 200"), head
            assert b"connection: close" in head
            assert json.loads(body)["total_poisha"] > 0
        assert server.process.wait(15) == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["message"] for line in lines][-1] == "ended"
    assert [line["status"] for line in lines if line.get("route") == "/api/v1/cart"] == [200, 200]


def test_a_drain_ends_in_time_whoever_hangs(folder: Path) -> None:
    with serving(folder, SHOP_DRAIN_SECONDS="2") as server, server.connect() as hanging:
        hanging.sendall(CART_HEAD)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 10
    assert "did not end in time" in (folder / "log").read_text()


def test_a_second_signal_does_not_cut_the_drain(server: Server) -> None:
    with server.connect() as slow:
        slow.sendall(CART_HEAD)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.status("/readyz") == 503)
        server.process.send_signal(signal.SIGTERM)
        slow.sendall(CART)
        assert answer(slow)[0].startswith(b"HTTP/1.1 200")
        assert server.process.wait(15) == 0


def test_half_sent_requests_keep_nobody_waiting(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        halves = [stack.enter_context(server.connect()) for _ in range(300)]
        for number, each in enumerate(halves):
            each.sendall([b"GET / HTTP/1.1\r\nHo", b"", CART_HEAD + b"{"][number % 3])
        took = []
        for _ in range(20):
            began = time.monotonic()
            assert server.status("/readyz") == 200
            took.append(time.monotonic() - began)
        assert sorted(took)[10] < 1.0
        with server.connect() as orderly:
            orderly.sendall(CART_HEAD + CART)
            head, _ = answer(orderly)
        assert head.startswith(b"HTTP/1.1 200"), "bodies that do not come hold places, but not all"


def test_ten_mebibytes_are_refused_with_and_without_a_length(server: Server) -> None:
    piece = b"x" * 65_536
    for head, wrap in (
        (b"Content-Length: 10485760\r\n\r\n", lambda data: data),
        (b"Transfer-Encoding: chunked\r\n\r\n", lambda data: b"%x\r\n%s\r\n" % (len(data), data)),
    ):
        before = server.resident_mebibytes()
        with server.connect() as connection:
            connection.sendall(HEAD + head)
            with contextlib.suppress(ConnectionError, TimeoutError):  # it need not take what it refuses
                for _ in range(160):
                    connection.sendall(wrap(piece))
            with contextlib.suppress(ConnectionResetError):
                assert answer(connection)[0].startswith(b"HTTP/1.1 413")
        assert server.resident_mebibytes() < before + 20
        assert server.status("/readyz") == 200


def test_heads_that_are_none_are_refused(server: Server) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GET /\r\n\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
    ):
        with server.connect(3) as connection, contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(sent)
            got = connection.recv(4096)
            assert not got or re.match(rb"HTTP/1.1 4\d\d", got), got
        assert server.status("/readyz") == 200


def test_a_thousand_open_connections_fit_in_a_small_pod(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(server.connect()) for _ in range(1_000)]
        for each in opened:
            each.sendall(GET)
        for each in opened:
            assert answer(each)[0].startswith(b"HTTP/1.1 200")
        assert server.resident_mebibytes() < 200


def test_metrics_have_a_port_of_their_own(server: Server) -> None:
    assert server.status("/metrics", server.metrics_port) == 200
    assert server.status("/metrics") == 404


async def test_a_database_that_is_away_at_the_start_and_later_is_waited_for(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="shop-away-", ignore_cleanup_errors=True) as name:
        postgres = Postgres(Path(name))
        postgres.create()
        postgres.start()
        address = tmp_path / "database-url"
        address.write_text(postgres.url())
        settings = Settings(database_url_file=SecretFile(address))
        await migrate(settings)
        await seed.run(settings, GOODS)
        postgres.stop()
        try:
            with serving(tmp_path, SHOP_DATABASE_URL_FILE=str(address)) as server:
                paths = ("/livez", "/readyz", "/api/v1/products")
                assert [server.status(path) for path in paths] == [200, 503, 503]
                assert server.order() == 503
                postgres.start()
                until(lambda: server.status("/readyz") == 200, server.process)
                assert [server.status(path) for path in paths] == [200, 200, 200]
                assert server.order() == 201
                postgres.kill()
                until(lambda: server.status("/readyz") == 503, server.process)
                assert [server.status(path) for path in paths] == [200, 503, 200], "shown from memory"
                assert server.order() == 503
                postgres.start()
                until(lambda: server.status("/readyz") == 200, server.process)
                until(lambda: server.order() == 201, server.process)
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(20) == 0
        finally:
            postgres.stop()
    for line in (tmp_path / "log").read_text().splitlines():
        assert "exception" not in json.loads(line), line


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`shop` with some arguments, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    return subprocess.run(
        [sys.executable, "-m", "shop", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["serve", "migrate", "demo", "seed", "verify"])
def test_wrong_settings_are_lines_and_status_2(command: str) -> None:
    ended = run(command, SHOP_PORT="nine", SHOP_PAYMENT="cod", SHOP_PAYMENTS="gold")
    assert ended.returncode == 2
    assert [line.split(":")[0] for line in ended.stderr.splitlines()] == [
        "SHOP_PAYMENT",
        "SHOP_PAYMENTS",
        "SHOP_PORT",
    ]


def test_a_port_that_is_taken_is_said_in_a_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("serve", SHOP_PORT=port, SHOP_DATABASE_PATH=str(folder / "shop.sqlite3"))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"port {port} of 127.0.0.1 can not be used")


def test_migrating_twice_is_the_same_as_once(tmp_path: Path) -> None:
    for _ in range(2):
        ended = run("migrate", SHOP_DATABASE_PATH=str(tmp_path / "shop.sqlite3"))
        assert (ended.returncode, ended.stdout) == (0, "the schema is up to date\n")


def test_a_migration_that_can_not_be_is_a_line(tmp_path: Path) -> None:
    ended = run("migrate", SHOP_DATABASE_PATH=str(tmp_path / "no" / "such" / "file"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("SHOP_DATABASE_PATH: ")
    address = tmp_path / "url"
    address.write_text(f"postgresql://shop@127.0.0.1:{free_port()}/shop")
    ended = run("migrate", SHOP_DATABASE_URL_FILE=str(address))
    assert ended.returncode == 1
    assert ended.stderr.startswith("the schema can not be brought up to date: ")
    assert len(ended.stderr.splitlines()) == 1


def test_demo_makes_and_serves_a_whole_shop_on_a_free_port(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("<p>the shop")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment |= {"SHOP_PORT": str(taken.getsockname()[1])}
        environment |= {"SHOP_DATABASE_PATH": str(tmp_path / "shop.sqlite3")}
        process = subprocess.Popen(
            [sys.executable, "-m", "shop", "demo", "--web", str(tmp_path / "web")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout
            said = process.stdout.readline()
            address = re.findall(r"http://127\.0\.0\.1:(\d+)/", said)
            assert address, said
            server = Server(process, int(address[0]), 0, tmp_path)  # type: ignore[arg-type]  # text mode
            until(lambda: server.status("/readyz") == 200, server.process)
            assert server.status("/") == 200
            assert server.status("/api/v1/products") == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def test_serving_imports_nothing_that_only_others_need() -> None:
    heavy = "{'alembic', 'opentelemetry', 'requests'}"
    code = f"import sys, shop.server.serve; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
