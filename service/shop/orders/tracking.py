"""What a shopper is told of an order, who shows its number and phone."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from shop.catalogue.models import Product
from shop.money import Language, taka
from shop.orders.models import Order, OrderEvent, OrderLine, Status
from shop.orders.schemas import Moment, Reference, TrackedLine, TrackedOrder, normal_number, normal_phone
from shop.orders.states import allowed
from shop.payments.models import Payment
from shop.problems import Problem


async def find(session: AsyncSession, reference: Reference) -> Order:
    """The order of a number and its phone. Problem 404 that does not tell which of them was wrong."""
    order = None
    phone = normal_phone(reference.phone)
    if phone is not None and (number := normal_number(reference.number)).isascii() and number.isalnum():
        found = await session.execute(select(Order).where(col(Order.number) == number))
        order = found.scalar_one_or_none()
    if order is None or order.phone != phone:
        raise Problem(404, "unknown_order", "no order has this number and this phone")
    return order


async def describe(session: AsyncSession, order: Order, language: Language) -> TrackedOrder:
    """Everything about an order that is not somebody's address."""
    lines = await session.execute(
        select(OrderLine, Product)
        .join(Product, col(Product.id) == col(OrderLine.product_id))
        .where(col(OrderLine.order_number) == order.number)
        .order_by(col(OrderLine.product_id))
    )
    events = await session.execute(
        select(OrderEvent.status, OrderEvent.created_at)
        .where(col(OrderEvent.order_number) == order.number)
        .order_by(col(OrderEvent.id))
    )
    payments = await session.execute(
        select(Payment.status)
        .where(col(Payment.order_number) == order.number)
        .order_by(col(Payment.id).desc())
        .limit(1)
    )
    history = [Moment(Status.PLACED, order.created_at), *[Moment(*event) for event in events]]
    return TrackedOrder(
        number=order.number,
        status=order.status,
        payment=order.payment_method,
        payment_status=payments.scalar_one_or_none(),
        reserved_until=order.reserved_until,
        lines=[_line(line, product, language) for line, product in lines],
        history=history,
        cancellable=cancellable(order),
        created_at=order.created_at,
        subtotal_poisha=order.subtotal_poisha,
        subtotal=taka(order.subtotal_poisha, language),
        delivery_poisha=order.delivery_poisha,
        delivery=taka(order.delivery_poisha, language),
        total_poisha=order.total_poisha,
        total=taka(order.total_poisha, language),
    )


def cancellable(order: Order) -> bool:
    """Whether its shopper may still cancel it: until it is packed."""
    return Status.CANCELLED in allowed(order) and order.status in (Status.PLACED, Status.PAID)


def _line(line: OrderLine, product: Product, language: Language) -> TrackedLine:
    return TrackedLine(
        product=product.slug,
        name=product.name_bn if language == "bn" else product.name_en,
        image=product.image,
        quantity=line.quantity,
        unit_price_poisha=line.unit_price_poisha,
        unit_price=taka(line.unit_price_poisha, language),
        line_total=taka(line.unit_price_poisha * line.quantity, language),
    )
