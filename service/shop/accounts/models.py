"""Table of the people who run the shop. Shoppers need no account."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from shop.catalogue.models import now


class Role(StrEnum):
    """What somebody may do; each may what stands above, too."""

    SUPPORT = "support"  # looks at orders, cancels them
    WAREHOUSE = "warehouse"  # packs and ships, books stock
    MANAGER = "manager"  # products and prices, refunds, staff


class Staff(SQLModel, table=True):
    """Somebody who works in the shop."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=200)
    name: str = Field(max_length=100)
    role: str = Field(max_length=16)
    password_hash: str = Field(max_length=200)
    active: bool = True
    generation: int = 0
    """Raised to end every session of theirs at once."""
    created_at: datetime = Field(default_factory=now)
