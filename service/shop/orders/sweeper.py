"""Ends what nobody ended: reservations over time, and keys that are a week old."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from shop.catalogue.models import now
from shop.database.engine import Sessions
from shop.orders.models import IdempotencyKey, Order, Status
from shop.orders.states import change

EVERY = 5.0
"""Seconds between two looks."""
AT_ONCE = 100
KEYS_LIVE = timedelta(days=7)

log = logging.getLogger(__name__)


async def sweep(sessions: Sessions, moment: datetime | None = None) -> int:
    """Cancel every order whose time to pay is over, and forget old keys. Gives how many were cancelled.

    Any number may sweep at once: an order that another one has locked is left,
    say because its money just came.
    """
    moment = moment or now()
    cancelled = 0
    while await _expire_one(sessions, moment):
        cancelled += 1
    while await _forget(sessions, moment - KEYS_LIVE):
        pass
    return cancelled


async def run(sessions: Sessions) -> None:
    """Sweep until cancelled; a database that is away is tried again."""
    failing = False
    while True:
        try:
            await sweep(sessions)
            failing = False
        except Exception as error:  # whatever it is, the next look may be luckier
            if not failing:
                log.warning("reservations can not be swept: %s: %s", type(error).__name__, error)
            failing = True
        await asyncio.sleep(EVERY)


async def _expire_one(sessions: Sessions, moment: datetime) -> bool:
    async with sessions.begin() as session:
        found = await session.execute(
            select(Order.number)
            .where(col(Order.reserved_until) < moment, col(Order.status) == Status.PLACED)
            .order_by(col(Order.reserved_until))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        number = found.scalar_one_or_none()
        if number is None:
            return False
        await change(session, number, Status.CANCELLED, "sweeper")
        return True


async def _forget(sessions: Sessions, before: datetime) -> bool:
    async with sessions.begin() as session:
        found = await session.execute(
            select(IdempotencyKey.key).where(col(IdempotencyKey.created_at) < before).limit(AT_ONCE)
        )
        keys = list(found.scalars())
        if keys:
            await session.execute(delete(IdempotencyKey).where(col(IdempotencyKey.key).in_(keys)))
        return bool(keys)
