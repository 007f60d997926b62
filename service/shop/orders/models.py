"""Tables of orders, and of the keys that make placing one safe to repeat."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, text
from sqlmodel import Field, SQLModel

from shop.catalogue.models import now


class Status(StrEnum):
    """Where an order stands. `placed` with `reserved_until` waits for its payment."""

    PLACED = "placed"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class Order(SQLModel, table=True):
    """A purchase. `number` is what the shopper is told: ten characters of Crockford's base 32."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_poisha = subtotal_poisha + delivery_poisha", name="total_adds_up"),
        Index(
            "ix_orders_reserved_until",
            "reserved_until",
            postgresql_where=text("reserved_until IS NOT NULL"),
            sqlite_where=text("reserved_until IS NOT NULL"),
        ),
        Index("ix_orders_created_at", "created_at"),
    )

    number: str = Field(primary_key=True, max_length=16)
    status: str = Field(max_length=16)
    payment_method: str = Field(max_length=16)
    language: str = Field(max_length=2)
    name: str = Field(max_length=100)
    phone: str = Field(max_length=16)
    district: str = Field(max_length=64)
    address: str = Field(max_length=500)
    subtotal_poisha: int = Field(sa_type=BigInteger)
    delivery_poisha: int = Field(sa_type=BigInteger)
    total_poisha: int = Field(sa_type=BigInteger)
    reserved_until: datetime | None = None
    """Until then its stock is held for a payment; None: it is held for good, or released."""
    stock_released: bool = False
    """Whether its pieces went back into the stock."""
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class OrderLine(SQLModel, table=True):
    """Pieces of one product in an order, at the price of that moment."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    order_number: str = Field(primary_key=True, foreign_key="orders.number", max_length=16)
    product_id: int = Field(primary_key=True, foreign_key="product.id")
    quantity: int
    unit_price_poisha: int = Field(sa_type=BigInteger)


class OrderEvent(SQLModel, table=True):
    """A change of an order's status: who, when."""

    __tablename__ = "order_event"

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    order_number: str = Field(foreign_key="orders.number", max_length=16, index=True)
    status: str = Field(max_length=16)
    actor: str = Field(max_length=100)
    created_at: datetime = Field(default_factory=now)


class IdempotencyKey(SQLModel, table=True):
    """The first answer that a key got, kept for a week, in the transaction of its effect."""

    __tablename__ = "idempotency_key"

    key: str = Field(primary_key=True, max_length=64)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    """SHA-256 of the request's meaning: another body with the same key is a mistake."""
    status: int | None = None
    response: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    created_at: datetime = Field(default_factory=now, index=True)
