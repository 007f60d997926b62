"""A shop with one product, and the fake gateways that it pays through, all in this process."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from litestar import Litestar, Request, Response
from litestar.di import Provide
from sqlalchemy import select, update
from sqlmodel import SQLModel, col

from shop.catalogue.models import Category, Product, now
from shop.database.engine import Sessions
from shop.orders.models import Order, OrderLine, Status
from shop.orders.states import change
from shop.payments.controllers import ROUTES
from shop.payments.fake import BASES, Gateways, Money, create_app, decide, end_of
from shop.payments.models import Payment
from shop.payments.service import Payments
from shop.problems import MEDIA_TYPE, Problem
from shop.secret_file import SecretFile
from shop.settings import Settings
from shop.stock.models import Stock, StockMovement

ORIGIN = "http://127.0.0.1:9100"
ONLINE = tuple(BASES)
PHONE = "01712345678"
TOTAL = 896_000
PATIENCE = 30.0


@dataclass
class Counts:
    """Stands for the server's metrics."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def payment(self, provider: str, outcome: str) -> None:
        """Count one."""
        self.seen[provider, outcome] += 1


@dataclass
class World:
    """What a test sees."""

    gateways: Gateways
    payments: Payments
    sessions: Sessions
    counts: Counts
    shop: httpx.AsyncClient
    shopper: httpx.AsyncClient
    settings: Settings
    numbers: int = 0

    async def order(self, method: str, *, quantity: int = 1, minutes: float = 15) -> str:
        """Place an order to be paid online."""
        self.numbers += 1
        number = f"7A{self.numbers:08d}"
        async with self.sessions.begin() as session:
            stock = await session.get_one(Stock, 1, with_for_update=True)
            stock.available -= quantity
            session.add(
                Order(
                    number=number,
                    status=Status.PLACED,
                    payment_method=method,
                    language="bn",
                    name="A shopper",
                    phone=PHONE,
                    district="dhaka",
                    address="House 1, Road 2, Dhanmondi",
                    subtotal_poisha=TOTAL - 6000,
                    delivery_poisha=6000,
                    total_poisha=TOTAL,
                    reserved_until=now() + timedelta(minutes=minutes),
                )
            )
            await session.flush()
            session.add(
                OrderLine(order_number=number, product_id=1, quantity=quantity, unit_price_poisha=890_000)
            )
        return number

    async def begin(self, method: str, **options: Any) -> tuple[str, Money]:
        """Place an order and go to pay it: its number, and the payment as the gateway knows it."""
        number = await self.order(method, **options)
        answer = await self.shop.post("/api/v1/payments", json={"number": number, "phone": PHONE})
        assert answer.status_code == 200, answer.text
        reference = urlsplit(answer.json()["redirect_url"]).path.removeprefix("/pay/")
        return number, self.gateways.payments[reference]

    async def come_back(self, money: Money, fields: dict[str, str] | None = None) -> httpx.Response:
        """Follow the provider's redirect to the shop."""
        return await self.shop.get(
            urlsplit(money.callback).path, params=end_of(money, True) if fields is None else fields
        )

    async def pay(self, money: Money) -> httpx.Response:
        """Pay at the gateway, and come back."""
        decide(money, True)
        return await self.come_back(money)

    async def expire(self, number: str) -> None:
        """Let an order run out of time, as the orders' sweeper does."""
        async with self.sessions.begin() as session:
            await change(session, number, Status.CANCELLED, "sweeper")

    @contextlib.contextmanager
    def impatient(self) -> Iterator[None]:
        """Within it the shop waits a third of a second for a gateway."""
        gateway = self.payments._gateway
        gateway._patience = 0.3
        yield
        gateway._patience = PATIENCE

    async def all(self, table: type[SQLModel]) -> list[Any]:
        """All rows."""
        async with self.sessions() as session:
            return list((await session.execute(select(table))).scalars())

    async def payment(self) -> Payment:
        """The only payment."""
        (payment,) = await self.all(Payment)
        assert isinstance(payment, Payment)
        return payment

    async def status(self, number: str) -> str:
        """The order's."""
        async with self.sessions() as session:
            return (await session.get_one(Order, number)).status

    async def available(self) -> int:
        """Pieces that may still be sold."""
        async with self.sessions() as session:
            return (await session.get_one(Stock, 1)).available

    async def make_due(self) -> None:
        """Let the time come at which the sweeper asks."""
        async with self.sessions.begin() as session:
            await session.execute(
                update(Payment)
                .where(col(Payment.next_check_at).is_not(None))
                .values(next_check_at=now() - timedelta(seconds=1))
            )

    async def sweep(self) -> int:
        """Let the time come, and sweep."""
        await self.make_due()
        return await self.payments.sweep()


@pytest.fixture(scope="session")
def keys() -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """Nagad's and the merchant's: making them takes a moment."""
    return generate_private_key(65537, 2048), generate_private_key(65537, 2048)


@pytest.fixture
def gateways(keys: tuple[RSAPrivateKey, RSAPrivateKey]) -> Gateways:
    """The fake gateways."""
    return Gateways(slow_seconds=0.05, gateway_key=keys[0], merchant_key=keys[1])


def with_files(settings: Settings, gateways: Gateways, folder: Path) -> Settings:
    """`settings` with all ways to pay, at the fake gateways."""
    files = {}
    for provider in ONLINE:
        path = folder / f"{provider}.json"
        path.write_text(json.dumps(gateways.credentials(provider, ORIGIN)))
        files[f"{provider}_file"] = SecretFile(path)
    return replace(settings, payments=("cod", *ONLINE), **files)  # type: ignore[arg-type]


async def fill(sessions: Sessions) -> None:
    """One product, ten pieces."""
    async with sessions.begin() as session:
        session.add(Category(id=1, slug="sarees", name_bn="শাড়ি", name_en="Sarees"))
        await session.flush()
        session.add(
            Product(id=1, slug="saree", category_id=1, name_bn="শাড়ি", name_en="Saree", price_poisha=890_000)
        )
        await session.flush()
        session.add(Stock(product_id=1, available=10))
        session.add(StockMovement(product_id=1, quantity=10, reason="receipt"))


def _problem(_: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return Response(error.body(), status_code=error.status, media_type=MEDIA_TYPE, headers=error.headers)


@pytest.fixture
async def world(
    settings: Settings, sessions: Sessions, gateways: Gateways, tmp_path: Path
) -> AsyncIterator[World]:
    """The shop's payments and the gateways, wired to each other."""
    await fill(sessions)
    settings = with_files(settings, gateways, tmp_path)
    counts = Counts()

    async def tell(url: str, fields: dict[str, str]) -> None:
        answer = await shop.post(urlsplit(url).path + "?" + urlsplit(url).query, data=fields)
        assert answer.status_code == 200

    fake = httpx.ASGITransport(create_app(gateways, tell))  # type: ignore[arg-type]
    payments = Payments(settings, sessions, counts, patience=PATIENCE, transport=fake)
    app = Litestar(
        ROUTES,
        dependencies={
            "shop": Provide(
                lambda: SimpleNamespace(settings=settings, payments=payments), sync_to_thread=False
            )
        },
        exception_handlers={Problem: _problem},
        openapi_config=None,
    )
    async with contextlib.AsyncExitStack() as stack:
        shop = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url)  # type: ignore[arg-type]
        )
        shopper = await stack.enter_async_context(httpx.AsyncClient(transport=fake, base_url=ORIGIN))
        yield World(gateways, payments, sessions, counts, shop, shopper, settings)
        await payments.stop()
