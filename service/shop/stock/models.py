"""Tables of what is there. `available` is what may still be sold; reservations are taken out of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer
from sqlmodel import Field, SQLModel

from shop.catalogue.models import now

LOW = 5
"""From this many pieces down a product is shown as nearly gone."""


class Stock(SQLModel, table=True):
    """How many pieces of a product may still be sold. Invariant, held by `shop verify`:

    available = Σ movements − Σ lines of orders whose stock was not released.
    """

    __table_args__ = (CheckConstraint("available >= 0", name="never_oversold"),)

    product_id: int = Field(primary_key=True, foreign_key="product.id")
    available: int = 0


class StockMovement(SQLModel, table=True):
    """Pieces that came in (positive) or were written off (negative) by hand; sales are order lines."""

    __tablename__ = "stock_movement"

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    product_id: int = Field(foreign_key="product.id", index=True)
    quantity: int
    reason: str = Field(max_length=32)
    """`receipt` or `correction`."""
    actor: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=now)
