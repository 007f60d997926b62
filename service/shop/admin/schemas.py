"""What staff send and are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shop.orders.schemas import Moment, TrackedLine

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4000)]
Price = Annotated[int, Meta(ge=1, le=10_000_000_00)]


class ProductDraft(msgspec.Struct, frozen=True, kw_only=True):
    """All of a product that people decide. Prices are poisha; an image is a file of the storefront."""

    slug: Slug
    category: Annotated[str, Meta(min_length=1, max_length=64)]
    name_bn: Name
    name_en: Name
    description_bn: Text = ""
    description_en: Text = ""
    price_poisha: Price
    image: Annotated[str, Meta(pattern=r"^([a-z0-9-]+\.(svg|webp|jpg|png))?$", max_length=200)] = ""
    active: bool = True


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """A product with its number and what is there of it."""

    id: int
    slug: str
    category: str
    name_bn: str
    name_en: str
    description_bn: str
    description_en: str
    price_poisha: int
    image: str
    active: bool
    available: int


class ProductPage(msgspec.Struct, frozen=True):
    """A page of products."""

    items: list[ProductRow]
    total: int
    page: int


class Movement(msgspec.Struct, frozen=True):
    """Pieces that came in (positive) or are written off (negative)."""

    quantity: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    reason: Literal["receipt", "correction"] = "receipt"


class Available(msgspec.Struct, frozen=True):
    """Pieces that may be sold now."""

    available: int


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    number: str
    status: str
    payment: str
    name: str
    phone: str
    district: str
    total_poisha: int
    created_at: datetime


class OrderPage(msgspec.Struct, frozen=True):
    """A page of orders, the newest first."""

    items: list[OrderRow]
    total: int
    page: int


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A try to pay."""

    id: int
    provider: str
    status: str
    amount_poisha: int
    reference: str
    transaction: str


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about an order. `next`: what it may become by this person's hand."""

    number: str
    status: str
    payment: str
    name: str
    phone: str
    district: str
    address: str
    subtotal_poisha: int
    delivery_poisha: int
    total_poisha: int
    reserved_until: datetime | None
    lines: list[TrackedLine]
    history: list[Moment]
    payments: list[PaymentRow]
    next: list[str]


class StatusChange(msgspec.Struct, frozen=True):
    """What an order becomes."""

    status: Literal["packed", "shipped", "delivered", "cancelled", "refunded"]


class NewStaff(msgspec.Struct, frozen=True, kw_only=True):
    """An account to be made."""

    email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    role: Literal["support", "warehouse", "manager"]
    password: Annotated[str, Meta(min_length=1, max_length=200)]


class StaffChange(msgspec.Struct, frozen=True):
    """Another role, or no access any more. Either ends every session of theirs."""

    role: Literal["support", "warehouse", "manager"]
    active: bool


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account."""

    id: int
    email: str
    name: str
    role: str
    active: bool
