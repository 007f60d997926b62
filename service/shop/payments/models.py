"""Table of payments through a provider's gateway. Money is believed only when the gateway, asked, says so."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.catalogue.models import now


class PaymentStatus(StrEnum):
    """`pending`: begun, unknown; `refund_due`: paid for an order that no longer is."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


class Payment(SQLModel, table=True):
    """One attempt to pay an order. `reference` is the provider's name for it, `transaction` the money's."""

    __table_args__ = (UniqueConstraint("provider", "reference", name="one_payment_a_reference"),)

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    order_number: str = Field(foreign_key="orders.number", max_length=16, index=True)
    provider: str = Field(max_length=16)
    reference: str = Field(max_length=128)
    transaction: str = Field(default="", max_length=128)
    refund: str = Field(default="", max_length=128)
    """The provider's name of the refund, once it is asked for."""
    status: str = Field(max_length=16)
    amount_poisha: int = Field(sa_type=BigInteger)
    checks: int = 0
    """How often the sweeper has asked."""
    next_check_at: datetime | None = Field(default=None, index=True)
    """When the sweeper asks the gateway next; None: nothing is open."""
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
