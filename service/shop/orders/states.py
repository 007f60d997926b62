"""An order's way: which status may follow which, and what happens to its stock and its money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from shop.catalogue.models import now
from shop.catalogue.snapshot import stock_state
from shop.catalogue.version import bump
from shop.orders.models import Order, OrderEvent, OrderLine, Status
from shop.payments.models import Payment, PaymentStatus
from shop.problems import Problem
from shop.stock.models import Stock

NEXT: Mapping[Status, frozenset[Status]] = {
    Status.PLACED: frozenset({Status.PAID, Status.PACKED, Status.CANCELLED}),
    Status.PAID: frozenset({Status.PACKED, Status.CANCELLED}),
    Status.PACKED: frozenset({Status.SHIPPED, Status.CANCELLED}),
    Status.SHIPPED: frozenset({Status.DELIVERED, Status.CANCELLED}),  # nobody was at home
    Status.DELIVERED: frozenset({Status.REFUNDED}),
    Status.CANCELLED: frozenset({Status.REFUNDED}),
    Status.REFUNDED: frozenset(),
}
"""Status → what may follow. An order to be paid online is packed only once it is paid."""


def allowed(order: Order) -> frozenset[Status]:
    """What may follow for this order."""
    following = NEXT[Status(order.status)]
    if order.status == Status.PLACED and order.payment_method != "cod":
        return following - {Status.PACKED}
    return following


async def locked(session: AsyncSession, number: str) -> Order:
    """The order, locked until the session's transaction ends. Problem 404 where there is none."""
    found = await session.execute(select(Order).where(col(Order.number) == number).with_for_update())
    order = found.scalar_one_or_none()
    if order is None:
        raise Problem(404, "unknown_order", "there is no such order")
    return order


async def change(session: AsyncSession, number: str, to: Status, actor: str) -> Order:
    """Bring an order to a status, in the session's transaction. Problem 404, or 409 where it may not follow.

    Cancelling gives its pieces back, once, and makes money that was paid due for refund.
    """
    order = await locked(session, number)
    if to not in allowed(order):
        following = ", ".join(sorted(allowed(order))) or "nothing"
        detail = f"an order that is {order.status} does not become {to}; what may follow: {following}"
        raise Problem(409, "wrong_status", detail, order_status=order.status)
    await _become(session, order, to, actor)
    return order


async def claim_payment(
    session: AsyncSession, number: str, actor: str = "payment"
) -> Literal["paid", "refund"]:
    """Money for an order has come. `refund` where the order is no more and its pieces are gone.

    An order that only ran out of time takes its pieces again, if they are still there.
    """
    order = await locked(session, number)
    if order.status == Status.PLACED:
        await _become(session, order, Status.PAID, actor)
        return "paid"
    if order.status == Status.CANCELLED and order.stock_released and await _take_again(session, order):
        order.stock_released = False
        await _become(session, order, Status.PAID, actor)
        return "paid"
    return "refund"


async def _become(session: AsyncSession, order: Order, to: Status, actor: str) -> None:
    moment = now()
    if to == Status.CANCELLED and not order.stock_released:
        await _give_back(session, order)
        await session.execute(
            update(Payment)
            .where(col(Payment.order_number) == order.number, col(Payment.status) == PaymentStatus.PAID)
            .values(status=PaymentStatus.REFUND_DUE, next_check_at=moment, updated_at=moment)
        )
    order.status, order.updated_at, order.reserved_until = to, moment, None
    session.add(order)
    session.add(OrderEvent(order_number=order.number, status=to, actor=actor, created_at=moment))
    await session.flush()


async def _give_back(session: AsyncSession, order: Order) -> None:
    quantities = await _quantities(session, order)
    await _move(session, quantities, {row.product_id: row for row in await _stock(session, quantities)})
    order.stock_released = True


async def _take_again(session: AsyncSession, order: Order) -> bool:
    quantities = await _quantities(session, order)
    rows = {row.product_id: row for row in await _stock(session, quantities)}
    if any(rows[product].available < quantity for product, quantity in quantities.items()):
        return False
    await _move(session, {product: -quantity for product, quantity in quantities.items()}, rows)
    return True


async def _move(session: AsyncSession, quantities: Mapping[int, int], rows: Mapping[int, Stock]) -> None:
    shown = False
    for product, quantity in quantities.items():
        row = rows[product]
        before, row.available = row.available, row.available + quantity
        shown = shown or stock_state(before) != stock_state(row.available)
        session.add(row)
    await session.flush()
    if shown:
        await bump(session)


async def _quantities(session: AsyncSession, order: Order) -> dict[int, int]:
    lines = await session.execute(
        select(OrderLine.product_id, OrderLine.quantity).where(col(OrderLine.order_number) == order.number)
    )
    return {row.product_id: row.quantity for row in lines}


async def _stock(session: AsyncSession, products: Mapping[int, int]) -> list[Stock]:
    """Locked in the order of products, as every writer does: nobody waits in a circle."""
    found = await session.execute(
        select(Stock)
        .where(col(Stock.product_id).in_(list(products)))
        .order_by(col(Stock.product_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found.scalars())
