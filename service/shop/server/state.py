"""The running shop: everything that handlers share, begun and ended together."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shop.accounts.accounts import Accounts
from shop.catalogue.catalogue import Catalogue
from shop.database.engine import Sessions, create_engine, create_sessions
from shop.orders import sweeper
from shop.orders.writer import OrderWriter
from shop.payments.service import Payments
from shop.server.metrics import Metrics
from shop.settings import Settings
from shop.waiting.room import WaitingRoom

PING_LIVES = 1.0
PING_PATIENCE = 1.0
"""Seconds."""


@dataclass(slots=True)
class Shop:
    """Made once for a process; `start` and `stop` belong to the application's lifespan."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    metrics: Metrics
    catalogue: Catalogue
    writer: OrderWriter
    room: WaitingRoom
    payments: Payments
    accounts: Accounts
    draining: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _pinged: float = float("-inf")
    _answered: bool = False
    _pinging: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Begin to work. A database that is away is no error: readiness says so."""
        await self.payments.start()
        await self.writer.start()
        await self.catalogue.start()
        self._tasks.append(asyncio.create_task(sweeper.run(self.sessions), name="orders-sweeper"))

    async def stop(self) -> None:
        """Finish what was begun: orders that wait are committed, payments under way are stored."""
        self.draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.writer.drain()
        await self.payments.stop()
        await self.catalogue.stop()
        await self.engine.dispose()

    async def ready(self) -> str:
        """Why this process should get no requests; empty when it should."""
        if self.draining:
            return "draining"
        if not self.catalogue.loaded:
            return "the catalogue is not loaded"
        return "" if await self._database_answers() else "the database does not answer"

    async def _database_answers(self) -> bool:
        async with self._pinging:  # many may ask: one looks
            if time.monotonic() - self._pinged > PING_LIVES:
                self._answered = False
                with suppress(Exception):
                    async with asyncio.timeout(PING_PATIENCE), self.engine.connect() as connection:
                        await connection.execute(text("SELECT 1"))
                        self._answered = True
                self._pinged = time.monotonic()
            return self._answered


def create_shop(settings: Settings) -> Shop:
    """A shop of `settings`; nothing runs before it is started."""
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    metrics = Metrics()
    catalogue = Catalogue(settings, sessions)
    writer = OrderWriter(settings, metrics)
    room = WaitingRoom(settings, catalogue, writer)
    payments = Payments(settings, sessions, metrics)
    accounts = Accounts(settings, sessions)
    shop = Shop(settings, engine, sessions, metrics, catalogue, writer, room, payments, accounts)
    _observe(shop)
    return shop


def _observe(shop: Shop) -> None:
    gauge = shop.metrics.gauge
    pool = shop.engine.pool
    gauge(
        "shop_catalogue_age_seconds",
        "Since the catalogue was known to be current.",
        lambda: shop.catalogue.age_seconds,
    )
    gauge("shop_order_queue_depth", "Orders that wait for their commit.", lambda: shop.writer.depth)
    gauge("shop_waiting_room_active", "Whether orders need a pass.", lambda: shop.room.active)
    gauge("shop_waiting_room_pace", "Orders a second that the waiting room lets in.", lambda: shop.room.pace)
    text = "Connections of the pool."
    busy = getattr(pool, "checkedout", lambda: 0)
    idle = getattr(pool, "checkedin", lambda: 0)
    gauge("shop_database_connections", text, lambda: busy(), state="busy")
    gauge("shop_database_connections", text, lambda: idle(), state="idle")
