"""Batches of orders on SQLite: the same steps as on PostgreSQL, one commit a batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiosqlite

from shop.catalogue.version import BUMP
from shop.database.engine import BUSY_MILLISECONDS
from shop.orders.allocate import Decision, Item, NewOrder, PlaceOrder
from shop.orders.store import BrokenError, Decide, FullError, Kept, Result
from shop.settings import Settings

TAKE_KEY = (
    "INSERT INTO idempotency_key (key, fingerprint, created_at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
)
READ_STOCK = """
SELECT p.id, p.slug, s.available, p.price_poisha
FROM stock s JOIN product p ON p.id = s.product_id WHERE p.slug = ? AND p.active
"""
PLACE = """
INSERT INTO orders (number, status, payment_method, language, name, phone, district, address,
  subtotal_poisha, delivery_poisha, total_poisha, reserved_until, stock_released, created_at, updated_at)
VALUES (?, 'placed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
"""
LINE = "INSERT INTO order_line (order_number, product_id, quantity, unit_price_poisha) VALUES (?, ?, ?, ?)"
TAKE_STOCK = "UPDATE stock SET available = ? WHERE product_id = ?"
ANSWER = "UPDATE idempotency_key SET status = ?, response = ? WHERE key = ?"
READ_KEY = "SELECT fingerprint, status, response FROM idempotency_key WHERE key = ? AND status IS NOT NULL"


class SqliteStore:
    """One connection to the file."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.database_path
        self._connection: aiosqlite.Connection | None = None

    async def open(self) -> None:
        """Open the file. BrokenError when that fails."""
        await self.close()
        try:
            connection = await aiosqlite.connect(self._path, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                await connection.execute(f"PRAGMA {pragma}")
            await connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        except (OSError, sqlite3.Error) as error:
            raise BrokenError(str(error)) from error
        self._connection = connection

    async def close(self) -> None:
        """Let go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close()

    async def commit(self, batch: Mapping[str, PlaceOrder], decide: Decide) -> Result:
        """See Store."""
        connection = self._connection
        if connection is None:
            raise BrokenError("not open")
        try:
            await connection.execute("BEGIN IMMEDIATE")
            try:
                fresh = [request for request in batch.values() if await _take(connection, request)]
                decision = decide(fresh, await _stock(connection, fresh))
                await _write(connection, decision)
                await connection.commit()
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    await connection.rollback()
                raise
            keys = set(batch) - {request.key for request in fresh}
            return Result(decision, {key: await _kept(connection, key) for key in keys})
        except (sqlite3.Error, ValueError) as error:
            raise FullError(f"{type(error).__name__}: {error}") from error


async def _take(connection: aiosqlite.Connection, request: PlaceOrder) -> bool:
    cursor = await connection.execute(TAKE_KEY, (request.key, request.fingerprint, _text(datetime.now(UTC))))
    return cursor.rowcount == 1


async def _stock(connection: aiosqlite.Connection, requests: list[PlaceOrder]) -> dict[str, Item]:
    found = {}
    for slug in {slug for request in requests for slug, _ in request.lines}:
        async with connection.execute(READ_STOCK, (slug,)) as cursor:
            if row := await cursor.fetchone():
                found[slug] = Item(*row)
    return found


async def _write(connection: aiosqlite.Connection, decision: Decision) -> None:
    orders = [outcome.order for outcome in decision.outcomes if outcome.order]
    await connection.executemany(TAKE_STOCK, [(left, product) for product, left in decision.left.items()])
    await connection.executemany(PLACE, [_row(order) for order in orders])
    await connection.executemany(LINE, [(order.number, *line) for order in orders for line in order.lines])
    await connection.executemany(ANSWER, [(out.status, out.body, out.key) for out in decision.outcomes])
    if decision.shown:
        await connection.execute(BUMP)


async def _kept(connection: aiosqlite.Connection, key: str) -> Kept:
    async with connection.execute(READ_KEY, (key,)) as cursor:
        row = await cursor.fetchone()
    if row is None:
        raise ValueError("the key was there and is gone")
    return Kept(*row)


def _row(order: NewOrder) -> tuple[Any, ...]:
    request, now = order.request, _text(datetime.now(UTC))
    return (
        *(order.number, request.payment, request.language, request.name, request.phone, request.district),
        *(request.address, order.subtotal_poisha, request.delivery_poisha, order.total_poisha),
        *(order.reserved_until and _text(order.reserved_until), now, now),
    )


def _text(moment: datetime) -> str:
    """As the engine writes it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
