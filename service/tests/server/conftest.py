"""A shop that runs in the test's own event loop, with a few goods."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import AsyncIterator, Callable

import pytest

from shop.catalogue.seeding import items
from shop.cli import seed
from shop.server.app import create_app
from shop.server.front import Front
from shop.server.logs import Lines
from shop.settings import Settings
from tests.server.asking import alive

GOODS = items(50)[-25:]
Order = Callable[..., dict[str, object]]


async def eventually(true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
def out() -> io.BytesIO:
    """Where the log's lines of requests go."""
    return io.BytesIO()


@pytest.fixture
async def front(settings: Settings, out: io.BytesIO) -> AsyncIterator[Front]:
    """The whole application, started, on each kind of database."""
    await seed.run(settings, GOODS)
    async with alive(create_app(settings, Lines(out))) as app:
        await eventually(lambda: app.shop.catalogue.loaded)
        yield app


@pytest.fixture
def order() -> Order:
    """The body of an order that can be placed."""

    def make(**changed: object) -> dict[str, object]:
        shipping = {"name": "A Shopper", "phone": "01712345678", "district": "dhaka", "address": "House 1"}
        body: dict[str, object] = {
            "lines": [{"product": GOODS[0].slug, "quantity": 1}],
            "payment": "cod",
            "language": "en",
            "shipping": shipping,
        }
        return {**body, **changed}

    return make


def key() -> dict[str, str]:
    """Headers with a new Idempotency-Key."""
    return {"idempotency-key": secrets.token_hex(16)}


__all__ = ["GOODS", "Order", "eventually", "key"]
