"""Stock that comes in or is written off by hand."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from shop.catalogue.snapshot import stock_state
from shop.catalogue.version import bump
from shop.problems import Problem
from shop.stock.models import Stock, StockMovement

MOST = 1_000_000
"""Pieces in one movement, and of one product."""

Reason = Literal["receipt", "correction"]


async def receive(session: AsyncSession, product_id: int, quantity: int, reason: Reason, actor: str) -> Stock:
    """Book pieces in (positive) or out (negative), in the session's transaction.

    Problem 404 for a product without stock record, 409 where fewer pieces are left than are to go.
    """
    found = await session.execute(select(Stock).where(col(Stock.product_id) == product_id).with_for_update())
    row = found.scalar_one_or_none()
    if row is None:
        raise Problem(404, "unknown_product", "there is no such product")
    after = row.available + quantity
    if not 0 <= after <= MOST:
        detail = f"{row.available} pieces are there: {quantity:+d} is not possible"
        raise Problem(409, "stock", detail, available=row.available)
    shown = stock_state(row.available) != stock_state(after)
    row.available = after
    session.add(row)
    session.add(StockMovement(product_id=product_id, quantity=quantity, reason=reason, actor=actor))
    await session.flush()
    if shown:
        await bump(session)
    return row
