"""Refunds that are due, and what only a person can find out about one: a name that was lost."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shop.catalogue.models import now
from shop.payments.models import Payment, PaymentStatus
from shop.problems import Problem


async def due(session: AsyncSession) -> list[Payment]:
    """Payments whose money is to go back and has not, the oldest first."""
    chosen = select(Payment).where(col(Payment.status) == PaymentStatus.REFUND_DUE).order_by(col(Payment.id))
    return list((await session.execute(chosen)).scalars())


async def name_refund(session: AsyncSession, payment_id: int, refund: str) -> Payment:
    """Say what the provider calls the refund of a payment; from then on the sweeper asks how it stands.

    For a refund that was asked for and whose answer was lost: SSLCommerz takes the same one no second time,
    and tells its name only there and on the merchant's panel. Problem 404 or 409 where that can not be.
    """
    payment = await session.get(Payment, payment_id, with_for_update=True)
    if payment is None:
        raise Problem(404, "not_found", "there is no such payment")
    if payment.status != PaymentStatus.REFUND_DUE:
        raise Problem(409, "not_allowed", f"the payment is {payment.status}: no refund of it is due")
    if payment.refund and payment.refund != refund:
        raise Problem(409, "not_allowed", f"its refund is {payment.refund}, as the provider said")
    payment.refund = refund
    payment.next_check_at = now()
    return payment
