"""Orders, as staff see and move them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from shop.accounts.guards import forbidden, may
from shop.accounts.models import Role, Staff
from shop.admin.schemas import OrderDetail, OrderPage, OrderRow, PaymentRow
from shop.money import Language
from shop.orders.models import Order, Status
from shop.orders.schemas import normal_number, normal_phone
from shop.orders.states import allowed, change
from shop.orders.tracking import describe
from shop.payments.models import Payment
from shop.problems import Problem

PAGE_SIZE = 50
BY: Mapping[Status, Role] = {
    Status.CANCELLED: Role.SUPPORT,
    Status.PACKED: Role.WAREHOUSE,
    Status.SHIPPED: Role.WAREHOUSE,
    Status.DELIVERED: Role.WAREHOUSE,
    Status.REFUNDED: Role.MANAGER,
}
"""Who may bring an order to a status. `paid` is nobody's to say: the gateway is asked."""


async def page(session: AsyncSession, status: str, q: str, number: int) -> OrderPage:
    """Orders of a status (empty: all) whose number or phone is `q` (empty: any), the newest first."""
    rows = select(Order)
    if status:
        rows = rows.where(col(Order.status) == status)
    if q:
        rows = rows.where(
            or_(col(Order.number) == normal_number(q), col(Order.phone) == (normal_phone(q) or ""))
        )
    total = (await session.execute(select(func.count()).select_from(rows.subquery()))).scalar_one()
    found = await session.execute(
        rows.order_by(col(Order.created_at).desc(), col(Order.number))
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return OrderPage([_row(order) for order in found.scalars()], total, number)


async def detail(session: AsyncSession, number: str, staff: Staff, language: Language) -> OrderDetail:
    """One order. Problem 404 where there is none."""
    order = await session.get(Order, normal_number(number)[:16])
    if order is None:
        raise Problem(404, "unknown_order", "there is no such order")
    shown = await describe(session, order, language)
    payments = await session.execute(
        select(Payment).where(col(Payment.order_number) == order.number).order_by(col(Payment.id))
    )
    return OrderDetail(
        number=order.number,
        status=order.status,
        payment=order.payment_method,
        name=order.name,
        phone=order.phone,
        district=order.district,
        address=order.address,
        subtotal_poisha=order.subtotal_poisha,
        delivery_poisha=order.delivery_poisha,
        total_poisha=order.total_poisha,
        reserved_until=order.reserved_until,
        lines=shown.lines,
        history=shown.history,
        payments=[_payment(payment) for payment in payments.scalars()],
        next=sorted(to for to in allowed(order) if to in BY and may(staff, BY[to])),
    )


async def move(session: AsyncSession, number: str, to: Status, staff: Staff) -> None:
    """Bring an order to a status. Problem 403 where that is not this person's, 404, 409."""
    if not may(staff, BY[to]):
        raise forbidden()
    await change(session, normal_number(number), to, staff.email[:100])


def _row(order: Order) -> OrderRow:
    return OrderRow(
        number=order.number,
        status=order.status,
        payment=order.payment_method,
        name=order.name,
        phone=order.phone,
        district=order.district,
        total_poisha=order.total_poisha,
        created_at=order.created_at,
    )


def _payment(payment: Payment) -> PaymentRow:
    return PaymentRow(
        id=payment.id or 0,
        provider=payment.provider,
        status=payment.status,
        amount_poisha=payment.amount_poisha,
        reference=payment.reference,
        transaction=payment.transaction,
    )
