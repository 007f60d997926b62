"""`kill -9` in mid-order: what was acknowledged is there, what was not is ordered once by its key."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import signal
import threading
import time
from pathlib import Path

import pytest

from shop.catalogue.seeding import items
from shop.cli import seed
from shop.database.engine import create_engine, create_sessions
from shop.orders.verdict import Books, Finding, books, verdict
from shop.settings import Settings
from tests.conftest import postgres_settings, sqlite_settings
from tests.postgresql import Postgres
from tests.server.test_process import serving

pytestmark = pytest.mark.slow
CLIENTS, MOST_SECONDS = 8, 60.0
GOODS = items(100_000)[-1:]
BODY = json.dumps(
    {
        "lines": [{"product": GOODS[0].slug, "quantity": 1}],
        "shipping": {"name": "ক", "phone": "01712345678", "district": "dhaka", "address": "১২ সড়ক"},
    }
).encode()


def order(port: int, key: str) -> tuple[int, bytes]:
    """One request on a connection of its own; OSError or HTTPException where the server is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        connection.request("POST", "/api/v1/orders", BODY, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Shopper(threading.Thread):
    """Orders one thing after another; keeps what was answered, and the key that was not."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.answered: dict[str, bytes] = {}
        self.open: str = ""

    def run(self) -> None:
        """Until the server is gone."""
        end = time.monotonic() + MOST_SECONDS
        while time.monotonic() < end:
            self.open = secrets.token_hex(16)
            try:
                status, body = order(self.port, self.open)
            except (OSError, http.client.HTTPException):
                return
            assert status == 201, body
            self.answered[self.open] = body
            self.open = ""


async def look(settings: Settings) -> tuple[Books, list[Finding]]:
    engine = create_engine(settings)
    try:
        sessions = create_sessions(engine)
        return await books(sessions), await verdict(sessions)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_in_mid_order_nothing_is_lost_or_doubled(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = asyncio.run(_settings(database, tmp_path, request))
    more = {"SHOP_CHECKOUTS_PER_MINUTE": "100000"}
    if settings.database_url_file:
        more["SHOP_DATABASE_URL_FILE"] = str(settings.database_url_file.path)
    with serving(tmp_path, **more) as server:
        shoppers = [Shopper(server.port) for _ in range(CLIENTS)]
        for shopper in shoppers:
            shopper.start()
        deadline = time.monotonic() + MOST_SECONDS
        while sum(len(shopper.answered) for shopper in shoppers) < 50:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.process.send_signal(signal.SIGKILL)
        for shopper in shoppers:
            shopper.join(20)
    answered = {key: body for shopper in shoppers for key, body in shopper.answered.items()}
    unanswered = {shopper.open for shopper in shoppers if shopper.open}
    assert unanswered, "it was killed while orders were under way"
    with serving(tmp_path, **more) as server:
        for key, body in answered.items():
            assert order(server.port, key) == (201, body), "the very answer of before"
        for key in unanswered:
            assert order(server.port, key)[0] == 201
    counted, findings = asyncio.run(look(settings))
    assert counted.orders == counted.keys_with_order == counted.sold == len(answered) + len(unanswered)
    assert findings == []


async def _settings(database: str, folder: Path, request: pytest.FixtureRequest) -> Settings:
    if database == "sqlite":
        settings = await sqlite_settings(folder)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        settings = await postgres_settings(server, folder)
    await seed.run(settings, GOODS)
    return settings
