"""The service runs with exactly the arguments and the environment of production's manifests.

Against a real PostgreSQL that takes only TLS, verified in full, with a role for the migration and another for
the service, which cannot change the schema. Only paths are others: `/run/secrets/shop`, and the authorities'.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shop.settings import Settings
from tests.postgresql import FAST, Postgres, PostgresMissingError
from tests.test_images import SERVICE, last_stage, values

ROOT = SERVICE.parent
MANIFESTS = ROOT / "clusters" / "prod" / "manifests" / "shop-backend"
CONTRACT = (ROOT / "docs" / "service-contract.md").read_text(encoding="utf-8")
PASSWORD = "p@ss:w/r%d?#é"  # a rotated password may hold anything
BACKEND, METRICS = "http://127.0.0.1:8000", "http://127.0.0.1:9000"

pytestmark = pytest.mark.slow


def container(file: str) -> dict[str, Any]:
    """The only container of a manifest."""
    manifest = yaml.safe_load((MANIFESTS / file).read_text(encoding="utf-8"))
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def table(heading: str) -> list[list[str]]:
    """The cells below a heading of the contract."""
    section = CONTRACT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][1:]


def image_settings() -> dict[str, str]:
    """What the image itself sets."""
    pairs = [
        pair.split("=", 1)
        for line in values(last_stage(SERVICE / "docker" / "backend.Dockerfile"), "ENV")
        for pair in shlex.split(line)
    ]
    return {name: value for name, value in pairs if name.startswith("SHOP_")}


def signed(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None) -> tuple[Any, Any]:
    """A certificate and its key: an authority, or a server on 127.0.0.1 where there is an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    authority = issuer[0] if issuer else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(thing: Any) -> bytes:
    """A certificate or a key as PEM."""
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    private: bytes = thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private


@dataclass(frozen=True)
class Database:
    """A PostgreSQL with TLS, the file of its authority, and of one that signed nothing here."""

    server: Postgres
    authority: Path
    stranger: Path

    def url(self, role: str, host: str = "127.0.0.1") -> str:
        """The address as External Secrets writes it: user and password percent-encoded."""
        return f"postgresql://{role}:{quote(PASSWORD, safe='')}@{host}:{self.server.port}/shop"

    async def ask(self, statement: str, database: str = "shop") -> list[Any]:
        """Rows, by the superuser over the socket."""
        connection = await asyncpg.connect(
            host=str(self.server.folder), port=self.server.port, user="shop", database=database
        )
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Takes TLS and passwords only; `shop_owner` owns the database, `shop_api` is a member of `shop_app`."""
    with tempfile.TemporaryDirectory(prefix="shop-contract-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        tls = (
            *FAST,
            "ssl=on",
            f"ssl_cert_file={folder}/pg/server.pem",
            f"ssl_key_file={folder}/pg/server.key",
        )
        try:
            server = Postgres(folder / "pg", tls)
        except PostgresMissingError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        server.create()
        authority, stranger = signed("Authority", None), signed("Stranger", None)
        certificate, key = signed("database", authority)
        (server.folder / "server.pem").write_bytes(pem(certificate))
        (server.folder / "server.key").write_bytes(pem(key))
        owner = (server.folder / "data").stat()
        os.chown(server.folder / "server.key", owner.st_uid, owner.st_gid)
        (server.folder / "server.key").chmod(0o600)
        (server.folder / "data" / "pg_hba.conf").write_text(
            "local all shop trust\nhostssl shop shop_owner,shop_api 127.0.0.1/32 scram-sha-256\n"
        )
        for file, holder in (("authority.pem", authority), ("stranger.pem", stranger)):
            (folder / file).write_bytes(pem(holder[0]))
        server.start()
        try:
            yield Database(server, folder / "authority.pem", folder / "stranger.pem")
        finally:
            server.stop()


@pytest.fixture(scope="module")
def roles(database: Database) -> Database:
    """The database `shop` and its roles, as infrastructure code makes them."""
    asyncio.run(_make_roles(database))
    return database


async def _make_roles(database: Database) -> None:
    for statement in (
        f"CREATE ROLE shop_owner LOGIN PASSWORD '{PASSWORD}'",
        "CREATE ROLE shop_app NOLOGIN",
        f"CREATE ROLE shop_api LOGIN PASSWORD '{PASSWORD}' IN ROLE shop_app",
        "CREATE DATABASE shop OWNER shop_owner",
    ):
        await database.ask(statement, "postgres")


def secrets(folder: Path, database: Database, role: str) -> Path:
    """What the kubelet mounts at /run/secrets/shop."""
    folder.mkdir()
    gateway_key = rsa.generate_private_key(65537, 2048)
    public = gateway_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    files = {
        "database-url": database.url(role),
        "ticket-key": "a ticket key of an example, long enough",
        "session-key": "a session key of an example, long enough",
        "bkash": json.dumps(BKASH),
        "nagad": json.dumps(
            {
                **NAGAD,
                "merchant_private_key": pem(gateway_key).decode(),
                "gateway_public_key": public.decode(),
            }
        ),
        "sslcommerz": json.dumps(SSLCOMMERZ),
    }
    for file, content in files.items():
        (folder / file).write_text(content, encoding="utf-8")
    return folder


BKASH = {
    "base_url": "https://bkash.invalid",
    "app_key": "a",
    "app_secret": "b",
    "username": "c",
    "password": "d",
}
NAGAD = {
    "base_url": "https://nagad.invalid",
    "merchant_id": "683002007104225",
    "merchant_number": "01712345678",
}
SSLCOMMERZ = {"base_url": "https://sslcommerz.invalid", "store_id": "a", "store_password": "b"}


def environment(found: Mapping[str, Any], mounted: Path, authority: Path) -> dict[str, str]:
    """The manifest's variables on top of the image's; only where files lie is another place."""
    given = {**image_settings(), **{item["name"]: item["value"] for item in found["env"]}}
    given = {name: value.replace("/run/secrets/shop", str(mounted)) for name, value in given.items()}
    given["SHOP_DATABASE_CA_FILE"] = str(authority)
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**given, **kept, "PATH": os.environ["PATH"], "PYTHONPATH": str(SERVICE)}


def run(file: str, mounted: Path, authority: Path, folder: Path) -> subprocess.Popen[str]:
    """A container of the manifest `file`, as a process in an empty folder."""
    found = container(file)
    return subprocess.Popen(
        [sys.executable, "-m", "shop", *found["args"]],
        env=environment(found, mounted, authority),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def migrate(
    database: Database, folder: Path, url: str = "", authority: Path | None = None
) -> tuple[int, str]:
    """Exit status and output of the migration's Job."""
    mounted = secrets(folder / "run", database, "shop_owner")
    if url:
        (mounted / "database-url").write_text(url)
    process = run("job-shop-migrate.yaml", mounted, authority or database.authority, folder)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.fixture(scope="module")
def migrated(roles: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The schema, by the Job."""
    status, output = migrate(roles, tmp_path_factory.mktemp("migrate"))
    assert status == 0, output
    return roles


@dataclass(frozen=True)
class Running:
    """The backend of production, its database, and the folder it was started in."""

    process: subprocess.Popen[str]
    database: Database
    folder: Path
    ready_seconds: float


def await_free(port: int) -> None:
    """The contract names the ports, so the test cannot take others."""
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return
        assert time.monotonic() < deadline, f"another program listens on port {port}"
        time.sleep(0.2)


def await_answer(url: str, process: subprocess.Popen[str], seconds: float) -> float:
    """Wait until `url` answers 200; gives the seconds that took."""
    began = time.monotonic()
    while True:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return time.monotonic() - began
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() - began > seconds:
            process.kill()
            pytest.fail(f"{url} does not answer: {process.communicate()[0][-3000:]}")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def backend(migrated: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`serve` as in production; the last test ends it, and reads what it said."""
    folder, work = tmp_path_factory.mktemp("serve"), tmp_path_factory.mktemp("work")
    for port in (8000, 9000):
        await_free(port)
    mounted = secrets(folder / "run", migrated, "shop_api")
    seeding = environment(container("deployment-shop-backend.yaml"), mounted, migrated.authority)
    subprocess.run(
        [sys.executable, "-m", "shop", "seed", "--count", "30", "--stock", "50"],
        env=seeding,
        check=True,
        capture_output=True,
    )
    process = run("deployment-shop-backend.yaml", mounted, migrated.authority, work)
    seconds = await_answer(f"{BACKEND}/readyz", process, 60)
    yield Running(process, migrated, work, seconds)
    process.kill()
    process.communicate()


def test_every_setting_is_in_the_contract() -> None:
    documented = set(re.findall(r"`(SHOP_[A-Z_]+)`", CONTRACT))
    assert {f"SHOP_{each.name.upper()}" for each in fields(Settings)} <= documented


def test_a_second_migration_changes_nothing(migrated: Database, tmp_path: Path) -> None:
    assert migrate(migrated, tmp_path)[0] == 0


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_database_that_is_not_the_one_meant_is_refused(roles: Database, tmp_path: Path, wrong: str) -> None:
    host = "localhost" if wrong == "name" else "127.0.0.1"
    authority = roles.stranger if wrong == "authority" else roles.authority
    status, output = migrate(roles, tmp_path, roles.url("shop_owner", host), authority)
    assert status not in (0, -signal.SIGKILL)
    assert "certificate" in output.lower()
    assert "Traceback" not in output
    assert PASSWORD not in output


async def test_the_service_cannot_change_the_schema(migrated: Database) -> None:
    context = ssl.create_default_context(cafile=str(migrated.authority))
    connection = await asyncpg.connect(migrated.url("shop_api"), ssl=context)
    try:
        for statement in ("CREATE TABLE x ()", "DROP TABLE orders", "DELETE FROM alembic_version"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


def test_probes_answer_where_the_kubelet_asks(backend: Running) -> None:
    found = container("deployment-shop-backend.yaml")
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = found[kind]["httpGet"]
        answer = httpx.get(f"http://127.0.0.1:{ports[asked['port']]}{asked['path']}", timeout=2)
        assert answer.status_code == 200


def test_it_is_ready_long_before_the_kubelet_loses_patience(backend: Running) -> None:
    assert backend.ready_seconds < 30


async def test_connections_are_verified_and_few(backend: Running) -> None:
    rows = await backend.database.ask(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'shop_api'"
    )
    assert 0 < len(rows) <= int(environment_of_backend()["SHOP_DATABASE_POOL_SIZE"]) + 2
    assert all(row["ssl"] for row in rows)


def environment_of_backend() -> dict[str, str]:
    """The variables of production's backend."""
    return {item["name"]: item["value"] for item in container("deployment-shop-backend.yaml")["env"]}


def test_an_order_goes_through(backend: Running) -> None:
    product = httpx.get(f"{BACKEND}/api/v1/products").json()["items"][0]
    order = {
        "lines": [{"product": product["slug"], "quantity": 1}],
        "payment": "cod",
        "language": "bn",
        "shipping": {
            "name": "পরীক্ষা",
            "phone": "01712345678",
            "district": "dhaka",
            "address": "বাড়ি ১, সড়ক ২",
        },
    }
    headers = {"Idempotency-Key": "a-contract-test-0001"}
    first = httpx.post(f"{BACKEND}/api/v1/orders", json=order, headers=headers)
    again = httpx.post(f"{BACKEND}/api/v1/orders", json=order, headers=headers)
    assert first.status_code == 201, first.text
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"


def test_metrics_are_those_of_the_contract_on_their_own_port(backend: Running) -> None:
    httpx.get(f"{BACKEND}/api/v1/products/there-is-no-such-product")
    text = httpx.get(f"{METRICS}/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, flags=re.MULTILINE))
    for cells in table("Metrics"):
        if cells[3] != "backend":
            continue
        for name in re.findall(r"`(\w+)`", cells[0]):
            assert kinds.get(name, kinds.get(name.removesuffix("_total"))) == cells[1].split(",")[0], name
    assert "there-is-no-such-product" not in text
    assert httpx.get(f"{BACKEND}/metrics").status_code == 404


def test_an_address_from_outside_the_pods_network_is_not_believed(backend: Running) -> None:
    given = httpx.get(f"{BACKEND}/api/v1/products", headers={"X-Request-Id": "made-up-by-a-stranger"})
    assert given.headers.get("X-Request-Id") != "made-up-by-a-stranger"


def test_sigterm_ends_it_with_status_0_and_every_line_of_its_log_is_json(backend: Running) -> None:
    backend.process.send_signal(signal.SIGTERM)
    output, _ = backend.process.communicate(timeout=40)
    assert backend.process.returncode == 0, output[-3000:]
    lines = [json.loads(line) for line in output.splitlines()]
    assert all({"time", "level", "message"} <= line.keys() for line in lines)
    requests = [line for line in lines if "route" in line]
    assert requests
    wanted = {"request_id", "method", "route", "status", "duration_seconds", "client"}
    assert all(wanted <= line.keys() for line in requests)
    assert "01712345678" not in output
    assert list(backend.folder.iterdir()) == []  # the root is read-only there
