"""Batches of orders on PostgreSQL: three statements in a transaction, whatever the size of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg

from shop.catalogue.version import BUMP, NOTIFY
from shop.database import postgres
from shop.orders.allocate import Decision, Item, PlaceOrder
from shop.orders.store import BrokenError, Decide, FullError, Kept, Result
from shop.settings import Settings

# Sorted, as the stock is: two writers with the same keys wait for each other in the same order.
TAKE_KEYS = """
INSERT INTO idempotency_key (key, fingerprint, created_at)
SELECT key, fingerprint, $3 FROM unnest($1::text[], $2::bytea[]) AS given (key, fingerprint) ORDER BY key
ON CONFLICT (key) DO NOTHING
RETURNING key
"""
LOCK_STOCK = """
SELECT p.id, p.slug, s.available, p.price_poisha
FROM stock s JOIN product p ON p.id = s.product_id
WHERE p.slug = ANY ($1::text[]) AND p.active
ORDER BY s.product_id FOR UPDATE OF s
"""
WRITE = """
WITH taken AS (
  UPDATE stock SET available = t.available
  FROM unnest($1::int[], $2::int[]) AS t (product_id, available) WHERE stock.product_id = t.product_id
), placed AS (
  INSERT INTO orders (number, status, payment_method, language, name, phone, district, address,
    subtotal_poisha, delivery_poisha, total_poisha, reserved_until, stock_released, created_at, updated_at)
  SELECT o.*, false, $15, $15
  FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::bigint[], $12::bigint[], $13::bigint[], $14::timestamptz[]) AS o
), lines AS (
  INSERT INTO order_line (order_number, product_id, quantity, unit_price_poisha)
  SELECT * FROM unnest($16::text[], $17::int[], $18::int[], $19::bigint[])
)
UPDATE idempotency_key SET status = k.status, response = k.response
FROM unnest($20::text[], $21::int[], $22::bytea[]) AS k (key, status, response)
WHERE idempotency_key.key = k.key
"""
READ_KEYS = """
SELECT key, fingerprint, status, response FROM idempotency_key
WHERE key = ANY ($1::text[]) AND status IS NOT NULL
"""


class PostgresStore:
    """One connection, reconnected by the writer whenever it breaks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: asyncpg.Connection | None = None

    async def open(self) -> None:
        """Connect. BrokenError when that fails."""
        await self.close()
        try:
            self._connection = await postgres.connect(self._settings)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise BrokenError(str(error)) from error

    async def close(self) -> None:
        """Let go at once, without a farewell that a dead server would not answer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close(timeout=1)

    async def commit(self, batch: Mapping[str, PlaceOrder], decide: Decide) -> Result:
        """See Store."""
        connection = self._connection
        if connection is None:
            raise BrokenError("not connected")
        try:
            async with connection.transaction():
                fresh = await self._take_keys(connection, batch)
                decision = await self._write(connection, [r for k, r in batch.items() if k in fresh], decide)
            kept = await self._kept(connection, [key for key in batch if key not in fresh])
        except _BROKEN as error:
            raise BrokenError(f"{type(error).__name__}: {error}") from error
        except asyncpg.PostgresError as error:
            raise FullError(f"{type(error).__name__}: {error}") from error
        return Result(decision, kept)

    async def _take_keys(self, connection: asyncpg.Connection, batch: Mapping[str, PlaceOrder]) -> set[str]:
        prints = [request.fingerprint for request in batch.values()]
        return {row[0] for row in await connection.fetch(TAKE_KEYS, list(batch), prints, datetime.now(UTC))}

    async def _write(
        self, connection: asyncpg.Connection, requests: list[PlaceOrder], decide: Decide
    ) -> Decision:
        if not requests:
            return Decision([], {}, shown=False)
        slugs = {slug for request in requests for slug, _ in request.lines}
        rows = await connection.fetch(LOCK_STOCK, list(slugs))
        decision = decide(requests, {row[1]: Item(*row) for row in rows})
        await connection.execute(WRITE, *_columns(decision))
        if decision.shown:
            await connection.execute(f"{BUMP}; {NOTIFY}")
        return decision

    async def _kept(self, connection: asyncpg.Connection, keys: list[str]) -> dict[str, Kept]:
        if not keys:
            return {}
        return {row[0]: Kept(row[1], row[2], row[3]) for row in await connection.fetch(READ_KEYS, keys)}


_BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server restarts
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ReadOnlySQLTransactionError,  # connected to what was the primary until the failover
    asyncpg.UniqueViolationError,  # two orders drew the same number: the next draw is another
)


def _columns(decision: Decision) -> list[Any]:
    orders = [outcome.order for outcome in decision.outcomes if outcome.order]
    lines = [(order.number, *line) for order in orders for line in order.lines]
    rows = [
        (
            *(order.number, "placed", order.request.payment, order.request.language, order.request.name),
            *(order.request.phone, order.request.district, order.request.address),
            *(order.subtotal_poisha, order.request.delivery_poisha, order.total_poisha, order.reserved_until),
        )
        for order in orders
    ]
    columns: list[Any] = [list(decision.left), list(decision.left.values())]
    columns += _transposed(rows, 12)
    columns.append(datetime.now(UTC))
    columns += _transposed(lines, 4)
    columns += _transposed([outcome[:3] for outcome in decision.outcomes], 3)
    return columns


def _transposed(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
