"""Staff sign in, and may do what their role may: every route of the back office, with every role."""

from __future__ import annotations

import io
import uuid
from collections.abc import AsyncIterator
from typing import Any, Self

import httpx
import pytest
from click.testing import CliRunner
from litestar.handlers import HTTPRouteHandler

from shop.accounts import passwords
from shop.accounts.accounts import SESSION_LIVES, TOKEN_LIVES, Accounts
from shop.accounts.models import Role, Staff
from shop.cli import main
from shop.database.engine import Sessions, create_engine, create_sessions
from shop.orders.verdict import verdict
from shop.problems import Problem
from shop.secret_file import LOOK, SecretFile
from shop.server.app import create_app
from shop.server.logs import Lines
from shop.settings import Settings
from tests.orders.shelf import fill

PASSWORD = "a long enough phrase"
NEEDED = {
    ("GET", "/api/v1/admin/orders"): Role.SUPPORT,
    ("GET", "/api/v1/admin/orders/{number}"): Role.SUPPORT,
    ("POST", "/api/v1/admin/orders/{number}/status"): Role.SUPPORT,
    ("GET", "/api/v1/admin/products"): Role.SUPPORT,
    ("POST", "/api/v1/admin/products"): Role.MANAGER,
    ("PUT", "/api/v1/admin/products/{number}"): Role.MANAGER,
    ("POST", "/api/v1/admin/products/{number}/stock"): Role.WAREHOUSE,
    ("POST", "/api/v1/admin/payments/{number}/refund"): Role.MANAGER,
    ("GET", "/api/v1/admin/staff"): Role.MANAGER,
    ("POST", "/api/v1/admin/staff"): Role.MANAGER,
    ("PUT", "/api/v1/admin/staff/{number}"): Role.MANAGER,
}
RANK = [Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER]
DRAFT = {"slug": "lungi", "category": "sarees", "name_bn": "লুঙ্গি", "name_en": "Lungi", "price_poisha": 450_00}


class World:
    """A started shop with somebody of each role."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.front = create_app(settings, Lines(io.BytesIO()))
        self.ids: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        engine = create_engine(self.settings)
        sessions = create_sessions(engine)
        self.ids = await fill(sessions, saree=5)
        async with sessions.begin() as session:
            stored = await passwords.hashed(PASSWORD)
            for role in Role:
                session.add(Staff(email=f"{role}@shop.example", name=role, role=role, password_hash=stored))
        await engine.dispose()
        await self.front.shop.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.front.shop.stop()

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client from a new address."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {})
            await self.front(scope, receive, send)

        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        address = f"203.0.113.{uuid.uuid4().int % 250}"
        return httpx.AsyncClient(
            transport=transport, base_url="http://shop", headers={"X-Client-Address": address, **headers}
        )

    async def signed_in(self, role: str) -> httpx.AsyncClient:
        """A client with the token of a role."""
        client = self.client()
        answer = await client.post(
            "/api/v1/sessions", json={"email": f"{role}@shop.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World(settings) as made:
        yield made


def routes(world: World) -> set[tuple[str, str]]:
    found = set()
    for route in world.front._app.routes:  # type: ignore[attr-defined]  # Litestar's
        if route.path.startswith("/api/v1/admin"):
            handlers: list[HTTPRouteHandler] = route.route_handlers
            path = route.path_format
            found |= {(method, path) for each in handlers for method in each.http_methods}
    return {(method, path) for method, path in found if method != "OPTIONS"}


async def test_every_route_lets_in_its_role_and_those_above_only(world: World) -> None:
    assert routes(world) == set(NEEDED), "a new route has a row here"
    clients = {role: await world.signed_in(role) for role in RANK}
    for (method, path), needed in NEEDED.items():
        address = path.replace("{number}", "0")
        async with world.client() as nobody:
            assert (await nobody.request(method, address)).status_code == 401, (method, path)
        for role, client in clients.items():
            answer = await client.request(method, address)
            refused = RANK.index(role) < RANK.index(needed)
            assert (answer.status_code == 403) == refused, (method, path, role, answer.text)
            assert answer.status_code < 500
    for client in clients.values():
        await client.aclose()


async def test_a_price_changes_for_the_next_order_and_not_for_the_last(world: World) -> None:
    client = await world.signed_in("manager")
    draft = {**DRAFT, "slug": "saree", "price_poisha": 150_00}
    order = {
        "lines": [{"product": "saree", "quantity": 1}],
        "shipping": {"name": "ক", "phone": "01712345678", "district": "dhaka", "address": "১২ সড়ক"},
    }
    totals = []
    for _ in range(2):
        placed = await client.post(
            "/api/v1/orders", json=order, headers={"Idempotency-Key": uuid.uuid4().hex}
        )
        totals.append(placed.json()["total_poisha"])
        changed = await client.put(f"/api/v1/admin/products/{world.ids['saree']}", json=draft)
        assert changed.status_code == 200, changed.text
    assert totals == [160_00, 210_00]
    listed = await client.get("/api/v1/admin/orders", params={"q": "+8801712345678"})
    assert [row["total_poisha"] for row in listed.json()["items"]] == [210_00, 160_00]
    await client.aclose()


async def test_an_order_is_shipped_and_its_history_says_by_whom(world: World, sessions: Sessions) -> None:
    client = await world.signed_in("warehouse")
    order = {
        "lines": [{"product": "saree", "quantity": 2}],
        "shipping": {"name": "<b>ক</b>", "phone": "01712345678", "district": "dhaka", "address": "১২ সড়ক"},
    }
    placed = await client.post("/api/v1/orders", json=order, headers={"Idempotency-Key": uuid.uuid4().hex})
    path = f"/api/v1/admin/orders/{placed.json()['number']}"
    assert (await client.get(path)).json()["next"] == ["cancelled", "packed"]
    for status in ("packed", "shipped", "delivered"):
        answer = await client.post(f"{path}/status", json={"status": status})
        assert answer.json()["status"] == status
    assert answer.json()["name"] == "<b>ক</b>", "text is text; pages escape it"
    assert (await client.post(f"{path}/status", json={"status": "refunded"})).status_code == 403
    assert (await client.post(f"{path}/status", json={"status": "packed"})).status_code == 409
    assert (await client.get("/api/v1/admin/orders/NONE")).status_code == 404
    await client.aclose()
    assert await verdict(sessions) == []


async def test_stock_is_booked_and_products_are_made(world: World, sessions: Sessions) -> None:
    client = await world.signed_in("manager")
    made = await client.post("/api/v1/admin/products", json=DRAFT)
    assert made.status_code == 201, made.text
    path = f"/api/v1/admin/products/{made.json()['id']}/stock"
    assert (await client.post(path, json={"quantity": 7})).json() == {"available": 7}
    assert (await client.post(path, json={"quantity": -8, "reason": "correction"})).status_code == 409
    assert (await client.post("/api/v1/admin/products", json=DRAFT)).json()["code"] == "slug_taken"
    for wrong in (
        {"price_poisha": 0},
        {"price_poisha": 10**15},
        {"slug": "Not A Slug"},
        {"category": "none"},
    ):
        assert (await client.post("/api/v1/admin/products", json={**DRAFT, **wrong})).status_code == 400, (
            wrong
        )
    found = await client.get("/api/v1/admin/products", params={"q": "লুঙ্গি"})
    assert [row["available"] for row in found.json()["items"]] == [7]
    assert (await client.get("/api/v1/admin/products", params={"q": "%"})).json()["total"] == 0
    await client.aclose()
    assert await verdict(sessions) == []


async def test_a_cookie_alone_changes_nothing(world: World) -> None:
    async with world.client() as client:
        answer = await client.post(
            "/api/v1/sessions", json={"email": "MANAGER@shop.example", "password": PASSWORD}
        )
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/api/v1"))
        assert (await client.get("/api/v1/admin/staff")).status_code == 200
        forged = await client.post("/api/v1/admin/products", json=DRAFT)
        meant = await client.post(
            "/api/v1/admin/products", json=DRAFT, headers={"X-Requested-With": "the shop's own page"}
        )
        assert (forged.status_code, meant.status_code) == (403, 201)
        out = await client.delete("/api/v1/sessions")
        assert (out.status_code, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)


async def test_wrong_passwords_are_told_alike_and_slowed_down(world: World) -> None:
    async with world.client() as client:
        answers = [
            await client.post("/api/v1/sessions", json={"email": email, "password": "not the password"})
            for email in ("nobody@shop.example", "manager@shop.example", *["manager@shop.example"] * 5)
        ]
    assert [answer.status_code for answer in answers[:2]] == [401, 401]
    assert answers[0].content == answers[1].content
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1].headers


async def test_managers_make_accounts_and_end_their_sessions(world: World) -> None:
    manager, support = await world.signed_in("manager"), await world.signed_in("support")
    new = {"email": "new@shop.example", "name": "New", "role": "support", "password": "short"}
    assert (await manager.post("/api/v1/admin/staff", json=new)).status_code == 400
    assert (await manager.post("/api/v1/admin/staff", json={**new, "password": PASSWORD})).status_code == 201
    assert (await manager.post("/api/v1/admin/staff", json={**new, "password": PASSWORD})).status_code == 409
    rows = {row["email"]: row["id"] for row in (await manager.get("/api/v1/admin/staff")).json()}
    assert (await support.get("/api/v1/admin/orders")).status_code == 200
    change = {"role": "support", "active": False}
    path = f"/api/v1/admin/staff/{rows['support@shop.example']}"
    assert (await manager.put(path, json=change)).json()["active"] is False
    assert (await support.get("/api/v1/admin/orders")).status_code == 401
    own = f"/api/v1/admin/staff/{rows['manager@shop.example']}"
    assert (await manager.put(own, json=change)).status_code == 409
    renewed = await manager.post("/api/v1/sessions/renew")
    assert renewed.status_code == 200
    await manager.aclose()
    await support.aclose()


async def test_tokens_end_and_outlive_a_replaced_key(
    settings: Settings, sessions: Sessions, tmp_path: Any
) -> None:
    import dataclasses

    now = 1_000_000.0
    path = tmp_path / "session-key"
    path.write_text("the first key of sessions")
    key = SecretFile(path, lambda: now)
    accounts = Accounts(dataclasses.replace(settings, session_key_file=key), sessions, lambda: now)
    async with sessions.begin() as session:
        stored = await passwords.hashed(PASSWORD)
        session.add(Staff(email="a@shop.example", name="A", role="support", password_hash=stored))
    signed = await accounts.sign_in("a@shop.example", PASSWORD, "client")
    path.write_text("the second key of sessions")
    now += LOOK + 1
    assert (await accounts.read(signed.token)).staff.name == "A"
    now += TOKEN_LIVES
    for token in (signed.token, signed.token + "x", "nonsense", ""):
        with pytest.raises(Problem, match="sign in first"):
            await accounts.read(token)
    renewed = accounts.renewed(signed)
    assert (await accounts.read(renewed)).began == signed.began
    now += SESSION_LIVES
    with pytest.raises(Problem):
        await accounts.read(accounts.renewed(signed))


@pytest.mark.parametrize("password", ["short", "x" * 201, "Password1234", "aaaaaaaaaaaaaaaa"])
def test_weak_passwords_are_refused(password: str) -> None:
    assert passwords.weakness(password)
    assert not passwords.weakness(PASSWORD)


def test_the_first_account_comes_from_the_command_line(settings: Settings) -> None:
    environment = (
        {"SHOP_DATABASE_URL_FILE": str(settings.database_url_file.path)}
        if settings.database_url_file
        else {"SHOP_DATABASE_PATH": str(settings.database_path)}
    )

    def run(*arguments: str, given: str = PASSWORD) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["staff", "add", *arguments], input=given + "\n", env=environment)
        return done.exit_code, done.output

    assert run("Boss@shop.example", "--role", "manager") == (0, "added boss@shop.example as manager\n")
    assert run("boss@shop.example")[0] == 1
    assert run("nonsense")[0] == 2
    assert run("other@shop.example", given="short")[0] == 2
