"""The whole application behind its front: refusals, headers, bodies, logs, the database away."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from shop.catalogue.catalogue import Catalogue
from shop.database.engine import create_engine, create_sessions
from shop.server.app import create_app
from shop.server.front import Front
from shop.server.logs import Lines
from shop.settings import Settings
from tests.orders.shelf import fill

SHIPPING = {"name": "ক", "phone": "০১৭১২৩৪৫৬৭৮", "district": "dhaka", "address": "১২ পরীক্ষা সড়ক"}
ORDER: dict[str, Any] = {
    "lines": [{"product": "saree", "quantity": 1, "price_poisha": 1}],
    "payment": "cod",
    "language": "en",
    "shipping": SHIPPING,
}


class World:
    """A started application and a client of it at an address."""

    def __init__(self, front: Front, out: io.BytesIO) -> None:
        self.front = front
        self.out = out

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client whose connections come from `address`."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {})
            await self.front(scope, receive, send)

        transport = httpx.ASGITransport(app, client=(address, 1234))
        return httpx.AsyncClient(transport=transport, base_url="http://shop")

    def lines(self) -> list[dict[str, Any]]:
        """What was logged of requests."""
        self.front._lines.flush()
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


async def started(settings: Settings) -> AsyncIterator[World]:
    engine = create_engine(settings)
    await fill(create_sessions(engine), saree=5, gone=0)
    await engine.dispose()
    out = io.BytesIO()
    front = create_app(settings, Lines(out))
    await front.shop.start()
    yield World(front, out)
    await front.shop.stop()


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    async for each in started(settings):
        yield each


def headers(key: str | None = None, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid.uuid4().hex, **more}


async def test_an_order_is_placed_followed_and_cancelled(world: World) -> None:
    async with world.client() as client:
        key = uuid.uuid4().hex
        placed = await client.post("/api/v1/orders", json=ORDER, headers=headers(key))
        assert placed.status_code == 201, placed.text
        assert placed.json()["total_poisha"] == 100_00 + 60_00, "the client's price counts for nothing"
        again = await client.post("/api/v1/orders", json=ORDER, headers=headers(key))
        assert (again.content, again.headers["Idempotency-Replayed"]) == (placed.content, "true")
        reference = {"number": placed.json()["number"].lower(), "phone": "+880 1712-345678"}
        tracked = await client.post("/api/v1/orders/track?lang=bn", json=reference)
        assert (tracked.json()["status"], tracked.json()["total"]) == ("placed", "৳১৬০")
        assert "address" not in tracked.text
        cancelled = await client.post("/api/v1/orders/cancel", json=reference)
        assert cancelled.json()["status"] == "cancelled"
        assert (await client.post("/api/v1/orders/cancel", json=reference)).status_code == 409
        wrong = await client.post("/api/v1/orders/track", json={**reference, "phone": "01812345678"})
        unknown = await client.post("/api/v1/orders/track", json={**reference, "number": "0000000000"})
        assert wrong.status_code == 404
        assert wrong.content == unknown.content, "neither is told apart"


async def test_sold_out_is_told_with_what_is_left(world: World) -> None:
    async with world.client() as client:
        many = {**ORDER, "lines": [{"product": "saree", "quantity": 6}]}
        answer = await client.post("/api/v1/orders", json=many, headers=headers())
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["products"] == [{"product": "saree", "left": 5}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"product": "saree", "quantity": 0}]}, "lines"),
        ({"lines": [{"product": "saree", "quantity": -1}]}, "lines"),
        ({"lines": [{"product": "saree", "quantity": 10**30}]}, "lines"),
        ({"lines": [{"product": "saree", "quantity": 6}, {"product": "saree", "quantity": 6}]}, "lines"),
        ({"lines": [{"product": "saree", "quantity": 1}] * 21}, "lines"),
        ({"payment": "bkash"}, "payment"),
        ({"payment": "barter"}, "payment"),
        ({"language": "fr"}, "language"),
        ({"shipping": {**SHIPPING, "phone": "+1 555 0100000"}}, "shipping.phone"),
        ({"shipping": {**SHIPPING, "district": "atlantis"}}, "shipping.district"),
        ({"shipping": {**SHIPPING, "name": "\u0000 \n"}}, "shipping.name"),
        ({"shipping": {**SHIPPING, "address": "x" * 501}}, "address"),
    ],
)
async def test_a_mistake_names_its_field(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    from tests.conftest import sqlite_settings

    async for world in started(await sqlite_settings(tmp_path)):
        async with world.client() as client:
            answer = await client.post("/api/v1/orders", json={**ORDER, **change}, headers=headers())
        assert answer.status_code == 400, answer.text
        assert field in answer.text
        assert answer.json()["code"] == "invalid"


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite: where the database makes no difference."""
    from tests.conftest import sqlite_settings

    async for each in started(await sqlite_settings(tmp_path)):
        yield each


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "with space in the key", "schlüssel-mit-umlaut"])
async def test_a_key_is_mandatory_and_has_a_form(small: World, key: str | None) -> None:
    async with small.client() as client:
        given = {b"Idempotency-Key": key.encode("latin-1")} if key else {}
        answer = await client.post("/api/v1/orders", json=ORDER, headers=given)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[" * 20_000, "application/json", 400),
        (b"{" + b'"a":1,' * 200_000 + b'"b":1}', "application/json", 413),
        (b"x" * 10 * 1024 * 1024, "application/octet-stream", 413),
    ],
)
async def test_bodies_that_are_none(small: World, content: bytes, kind: str, status: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    async with small.client() as client:
        given = headers(**{"Content-Type": kind})
        whole = await client.post("/api/v1/orders", content=content, headers=given)
        parts = await client.post("/api/v1/orders", content=chunks(), headers=given)
    assert (whole.status_code, parts.status_code) == (status, status), whole.text
    assert whole.headers["content-type"] == "application/problem+json"


async def test_what_is_not_there_is_told_as_a_problem(small: World) -> None:
    async with small.client() as client:
        missing, method = await client.get("/api/v1/nothing"), await client.get("/api/v1/orders")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"]) == (405, "method")


async def test_only_the_edge_says_who_asks(small: World) -> None:
    claims = {"X-Client-Address": "203.0.113.9", "X-Request-Id": "of-the-edge"}
    async with small.client("127.0.0.1") as edge, small.client("198.51.100.7") as stranger:
        believed = await edge.get("/api/v1/products", headers=claims)
        forged = await stranger.get("/api/v1/products", headers=claims)
        broken = await edge.get(
            "/api/v1/products", headers={"X-Client-Address": "<script>", "X-Request-Id": 'a"b\\n'}
        )
    assert believed.headers["x-request-id"] == "of-the-edge"
    assert forged.headers["x-request-id"] != "of-the-edge"
    assert [line["client"] for line in small.lines()] == ["203.0.113.9", "198.51.100.7", "127.0.0.1"]
    assert broken.status_code == 200


async def test_a_line_of_the_log_tells_no_secrets_of_people(small: World) -> None:
    async with small.client() as client:
        await client.post("/api/v1/orders?token=secret", json=ORDER, headers=headers())
        await client.get("/api/v1/products/%0A%7B%22level%22")
        await client.get("/no/such/path/for-01712345678")
    lines = small.lines()
    assert [line["route"] for line in lines] == ["/api/v1/orders", "/api/v1/products/{slug}", "unknown"]
    assert set(lines[0]) == {
        *("time", "level", "message", "request_id", "method", "route", "status", "duration_seconds", "client")
    }
    text = small.out.getvalue().decode()
    assert "1712345678" not in text
    assert "secret" not in text


async def test_one_client_is_slowed_down_and_others_are_not(tmp_path: Path) -> None:
    from tests.conftest import sqlite_settings

    settings = replace(await sqlite_settings(tmp_path), checkouts_per_minute=2)
    async for world in started(settings):
        async with world.client("198.51.100.7") as client, world.client("198.51.100.8") as other:
            statuses = [
                (await client.post("/api/v1/orders", json=ORDER, headers=headers())).status_code
                for _ in range(3)
            ]
            last = await client.post("/api/v1/orders/", json=ORDER, headers=headers())
            assert (await other.post("/api/v1/orders", json=ORDER, headers=headers())).status_code == 201
        assert statuses == [201, 201, 429]
        assert last.json()["code"] == "slow_down"
        assert int(last.headers["Retry-After"]) >= 1


async def test_a_character_that_can_not_be_stored_is_the_senders_mistake(world: World) -> None:
    async with world.client() as client:
        answer = await client.post(
            "/api/v1/sessions", json={"email": "a\u0000@shop.example", "password": "x"}
        )
    assert answer.status_code in (400, 401), "SQLite stores it, and finds nobody; PostgreSQL can not"
    assert answer.json()["code"] in ("invalid", "wrong_credentials")


async def test_without_room_a_request_is_shed_and_probes_are_not(small: World) -> None:
    small.front.limiter.limit = 0
    async with small.client() as client:
        shed = await client.post("/api/v1/orders", json=ORDER, headers=headers())
        probe, ready = await client.get("/livez"), await client.get("/readyz")
        catalogue = await client.get("/api/v1/products")
    assert (shed.status_code, shed.json()["code"], shed.headers["Retry-After"]) == (503, "overload", "1")
    assert [probe.status_code, ready.status_code, catalogue.status_code] == [200, 200, 200]


async def test_draining_is_said_to_probes_and_to_connections(small: World) -> None:
    small.front.shop.draining = True
    async with small.client() as client:
        ready, alive = await client.get("/readyz"), await client.get("/livez")
        served = await client.get("/api/v1/products")
        tracked = await client.post("/api/v1/orders/track", json={"number": "1", "phone": "1"})
    assert (ready.status_code, alive.status_code, served.status_code) == (503, 200, 200)
    assert served.headers["connection"] == tracked.headers["connection"] == "close"


async def test_the_waiting_room_stands_before_the_checkout(small: World) -> None:
    from shop.waiting.line import Line

    room = small.front.shop.room
    room._line = Line(room._clock())
    async with small.client() as client:
        key = uuid.uuid4().hex
        refused = await client.post("/api/v1/orders", json=ORDER, headers=headers(key))
        place = await client.post("/api/v1/waiting-room", json={"key": key, "products": ["saree"]})
        poll = await client.post("/api/v1/waiting-room/poll", json={"ticket": place.json()["ticket"]})
        gone = await client.post("/api/v1/waiting-room", json={"key": key, "products": ["gone"]})
        forged = await client.post("/api/v1/waiting-room/poll", json={"ticket": "forged"})
    assert (refused.status_code, refused.json()["code"]) == (503, "waiting_room")
    assert place.json()["state"] == "waiting"
    assert poll.json()["state"] in ("waiting", "admitted")
    assert gone.json()["state"] == "sold_out"
    assert (forged.status_code, forged.json()["code"]) == (400, "ticket")


async def test_no_database_at_the_start_is_survived(tmp_path: Path) -> None:
    from shop.secret_file import SecretFile
    from tests.postgresql import free_port

    address = tmp_path / "database-url"
    address.write_text(f"postgresql://shop@127.0.0.1:{free_port()}/shop")
    front = create_app(Settings(database_url_file=SecretFile(address)), Lines(io.BytesIO()))
    await front.shop.start()
    world = World(front, io.BytesIO())
    async with world.client() as client:
        answers = [
            await client.get("/livez"),
            await client.get("/readyz"),
            await client.get("/api/v1/products"),
            await client.post("/api/v1/orders/track", json={"number": "1234567890", "phone": "01712345678"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 503]
    assert all("Retry-After" in answer.headers for answer in answers[2:])
    await front.shop.stop()


async def test_metrics_have_bounded_labels(small: World) -> None:
    from prometheus_client import generate_latest

    async with small.client() as client:
        for number in range(20):
            await client.get(f"/api/v1/products/none-{number}")
            await client.get(f"/none-{number}")
            await client.request(f"BREW{number}", "/api/v1/orders")
    text = generate_latest(small.front.shop.metrics.registry).decode()
    assert 'route="/api/v1/products/{slug}",status="404"} 20.0' in text
    assert "none-" not in text
    assert "BREW" not in text
    assert isinstance(small.front.shop.catalogue, Catalogue)
