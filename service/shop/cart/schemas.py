"""What a cart asks and is told. The cart itself lives in the shopper's browser."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shop.catalogue.snapshot import StockState
from shop.money import Language
from shop.orders.limits import MAX_LINES, MAX_QUANTITY

LineProblem = Literal["unknown_product", "sold_out", "too_many"]


class WantedLine(msgspec.Struct, frozen=True):
    """So many pieces of a product. A price, if one is sent, is ignored."""

    product: Annotated[str, Meta(min_length=1, max_length=100)]
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class CartRequest(msgspec.Struct, frozen=True):
    """A cart to be priced; with a district the delivery is priced too."""

    lines: Annotated[list[WantedLine], Meta(max_length=MAX_LINES)]
    language: Language = "bn"
    district: Annotated[str, Meta(max_length=64)] = ""


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the cart. With a `problem` it can not be ordered, and no sum counts it."""

    product: str
    name: str
    image: str
    quantity: int
    unit_price_poisha: int
    unit_price: str
    line_total_poisha: int
    line_total: str
    stock: StockState
    available: bool
    problem: LineProblem | None = None
    message: str | None = None
    """The problem in the shopper's language."""


class PricedCart(msgspec.Struct, frozen=True, kw_only=True):
    """The cart at the prices of now. `delivery` is null, and not in `total`, until a district is chosen."""

    lines: list[PricedLine]
    subtotal_poisha: int
    subtotal: str
    delivery_poisha: int | None
    delivery: str | None
    total_poisha: int
    total: str
    orderable: bool
    """Whether there is something to order, and nothing in the way."""


class District(msgspec.Struct, frozen=True):
    """One of the 64 districts, and what delivery there costs."""

    district: str
    name: str
    delivery_poisha: int
    delivery: str


class DistrictList(msgspec.Struct, frozen=True):
    """All districts, by name."""

    items: list[District]
