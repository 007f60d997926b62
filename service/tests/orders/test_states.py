"""An order's way, its stock and its money; reservations that run out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from shop.catalogue.models import now
from shop.database.engine import Sessions, create_engine, create_sessions
from shop.orders.models import Order, Status
from shop.orders.states import NEXT, change, claim_payment
from shop.orders.sweeper import sweep
from shop.orders.verdict import books, verdict
from shop.orders.writer import OrderWriter
from shop.problems import Problem
from shop.settings import Settings
from shop.stock.service import receive
from tests.conftest import postgres_settings
from tests.orders.shelf import Ear, fill, wish
from tests.postgresql import Postgres


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[OrderWriter]:
    made = OrderWriter(settings, Ear())
    await made.start()
    yield made
    await made.drain()


async def order(writer: OrderWriter, payment: str = "cod", saree: int = 1) -> str:
    stored = await writer.place(wish(payment=payment, saree=saree))
    assert stored.status == 201
    return str(msgspec.json.decode(stored.body)["number"])


async def become(sessions: Sessions, number: str, *statuses: Status) -> None:
    for status in statuses:
        async with sessions.begin() as session:
            await change(session, number, status, "test")


async def test_cash_on_delivery_goes_its_way(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    number = await order(writer, saree=2)
    await become(sessions, number, Status.PACKED, Status.SHIPPED, Status.DELIVERED, Status.REFUNDED)
    async with sessions() as session:
        events = (await session.execute(text("SELECT status FROM order_event ORDER BY id"))).scalars().all()
    assert events == ["packed", "shipped", "delivered", "refunded"]
    assert (await books(sessions)).left == 3, "what came back broken is not sold again by itself"
    assert await verdict(sessions) == []


@pytest.mark.parametrize("start", list(Status))
async def test_no_other_way_is_taken(start: Status, writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    number = await order(writer)
    for to in set(Status) - NEXT[start]:
        async with sessions.begin() as session:
            await session.execute(text(f"UPDATE orders SET status = '{start.value}'"))
        with pytest.raises(Problem) as caught:
            await become(sessions, number, to)
        assert (caught.value.status, caught.value.code) == (409, "wrong_status")


async def test_an_order_to_be_paid_online_is_not_packed_before(
    writer: OrderWriter, sessions: Sessions
) -> None:
    await fill(sessions, saree=5)
    number = await order(writer, "bkash")
    with pytest.raises(Problem, match="what may follow: cancelled, paid"):
        await become(sessions, number, Status.PACKED)
    await become(sessions, number, Status.PAID, Status.PACKED)


async def test_cancelling_gives_the_pieces_back_once(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    number = await order(writer, saree=5)
    results = await asyncio.gather(
        *[become(sessions, number, Status.CANCELLED) for _ in range(4)], return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert (await books(sessions)).left == 5
    assert await verdict(sessions) == []


async def test_what_a_session_had_read_before_the_lock_counts_for_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    settings = await postgres_settings(postgres, tmp_path)  # on SQLite the second transaction would wait
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    await fill(sessions, saree=5)
    writer = OrderWriter(settings, Ear())
    await writer.start()
    number = await order(writer, saree=2)
    async with sessions() as session:
        assert (await session.get_one(Order, number)).status == "placed"
        await become(sessions, number, Status.CANCELLED)
        with pytest.raises(Problem, match="an order that is cancelled does not become cancelled"):
            await change(session, number, Status.CANCELLED, "test")
    assert (await books(sessions)).left == 5
    await writer.drain()
    await engine.dispose()


async def test_a_reservation_ends_in_time_and_not_before(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    await order(writer, "bkash", saree=3)
    await order(writer, "cod", saree=2)
    assert await sweep(sessions, now() + timedelta(minutes=14)) == 0
    assert await sweep(sessions, now() + timedelta(minutes=16)) == 1
    counted = await books(sessions)
    assert (counted.sold, counted.left) == (2, 3)
    assert await verdict(sessions) == []


async def test_money_that_comes_late_takes_the_pieces_again_or_goes_back(
    writer: OrderWriter, sessions: Sessions
) -> None:
    await fill(sessions, saree=5)
    lucky, unlucky = await order(writer, "bkash", saree=2), await order(writer, "bkash", saree=3)
    assert await sweep(sessions, now() + timedelta(hours=1)) == 2
    await order(writer, "cod", saree=3)
    claimed = []
    for number in (lucky, unlucky):
        async with sessions.begin() as session:
            claimed.append(await claim_payment(session, number))
    assert claimed == ["paid", "refund"]
    assert (await books(sessions)).left == 0
    assert await verdict(sessions) == []


async def test_money_and_the_end_of_time_meet_and_only_one_wins(
    writer: OrderWriter, sessions: Sessions
) -> None:
    await fill(sessions, saree=40)
    numbers = [await order(writer, "bkash", saree=2) for _ in range(20)]

    async def pay(number: str) -> str:
        async with sessions.begin() as session:
            return await claim_payment(session, number)

    later = now() + timedelta(hours=1)
    *paid, _, _ = await asyncio.gather(*map(pay, numbers), sweep(sessions, later), sweep(sessions, later))
    assert paid == ["paid"] * 20, "there are pieces for all, so that money always wins in the end"
    assert (await books(sessions)).left == 0
    assert await verdict(sessions) == []


async def test_keys_are_forgotten_after_a_week(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=500)
    await asyncio.gather(*[writer.place(wish()) for _ in range(120)])
    await sweep(sessions, now() + timedelta(days=6))
    assert (await books(sessions)).keys_with_order == 120
    await sweep(sessions, now() + timedelta(days=8))
    assert (await books(sessions)).keys_with_order == 0


async def test_the_verdict_sees_what_is_wrong(writer: OrderWriter, sessions: Sessions) -> None:
    ids = await fill(sessions, saree=5)
    number = await order(writer, saree=2)
    faults = {
        "stock": f"UPDATE stock SET available = available + 1 WHERE product_id = {ids['saree']}",
        "totals": "UPDATE order_line SET unit_price_poisha = 1",
        "released": "UPDATE orders SET stock_released = true",
        "answers": "UPDATE idempotency_key SET status = NULL",
    }
    for check, fault in faults.items():
        session = sessions()
        await session.execute(text(fault))
        await session.flush()

        class Same:
            def __call__(self, session: object = session) -> object:
                return self

            async def __aenter__(self, session: object = session) -> object:
                return session

            async def __aexit__(self, *_: object) -> None:
                return None

        found = {finding.check for finding in await verdict(Same())}  # type: ignore[arg-type]
        await session.rollback()
        await session.close()
        assert check in found, number


async def test_stock_comes_in_and_never_goes_below_nothing(sessions: Sessions) -> None:
    ids = await fill(sessions, saree=5)
    async with sessions.begin() as session:
        assert (await receive(session, ids["saree"], 7, "receipt", "test")).available == 12
        assert (await receive(session, ids["saree"], -12, "correction", "test")).available == 0
    for product, quantity, status in ((ids["saree"], -1, 409), (9_999, 1, 404)):
        async with sessions() as session:
            with pytest.raises(Problem) as caught:
                await receive(session, product, quantity, "correction", "test")
        assert caught.value.status == status
    assert await verdict(sessions) == []
