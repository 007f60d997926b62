"""What a shopper sends to order, and what is answered."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shop.money import Language, latin_digits
from shop.orders.allocate import PlaceOrder
from shop.orders.delivery import DISTRICTS, fee_poisha
from shop.orders.limits import MAX_LINES, MAX_QUANTITY
from shop.problems import Problem

KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
PHONE = re.compile(r"(?:\+?88)?(01[3-9]\d{8})")
PaymentMethod = Literal["cod", "bkash", "nagad", "sslcommerz"]


class Line(msgspec.Struct, frozen=True):
    """So many pieces of a product. A price, if one is sent, is ignored."""

    product: Annotated[str, Meta(min_length=1, max_length=100)]
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class Shipping(msgspec.Struct, frozen=True):
    """Who gets it, and where. `district` is one of GET /api/v1/districts."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    phone: Annotated[str, Meta(min_length=11, max_length=20, examples=["01712345678"])]
    district: Annotated[str, Meta(min_length=1, max_length=64)]
    address: Annotated[str, Meta(min_length=5, max_length=500)]


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order. `seen_total_poisha` is the total that the shopper saw: at another one nothing is ordered."""

    lines: Annotated[list[Line], Meta(min_length=1, max_length=MAX_LINES)]
    payment: PaymentMethod = "cod"
    language: Language = "bn"
    shipping: Shipping
    seen_total_poisha: Annotated[int, Meta(ge=0, le=10**13)] | None = None


class Reference(msgspec.Struct, frozen=True):
    """What a shopper knows of an order: its number, and the phone it was ordered with."""

    number: Annotated[str, Meta(min_length=1, max_length=20)]
    phone: Annotated[str, Meta(min_length=1, max_length=20)]


class PlacedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, at its price."""

    product: str
    quantity: int
    unit_price_poisha: int


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was placed. `reserved_until`: pay until then, or it is cancelled."""

    number: str
    status: str
    payment: str
    reserved_until: datetime | None
    lines: list[PlacedLine]
    subtotal_poisha: int
    delivery_poisha: int
    total_poisha: int
    total: str


class TrackedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, as it is shown."""

    product: str
    name: str
    image: str
    quantity: int
    unit_price_poisha: int
    unit_price: str
    line_total: str


class Moment(msgspec.Struct, frozen=True):
    """When an order came to a status."""

    status: str
    at: datetime


class TrackedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order stands. It tells neither the name nor the address: number and phone may be overheard."""

    number: str
    status: str
    payment: str
    payment_status: str | None
    reserved_until: datetime | None
    lines: list[TrackedLine]
    history: list[Moment]
    cancellable: bool
    subtotal_poisha: int
    subtotal: str
    delivery_poisha: int
    delivery: str
    total_poisha: int
    total: str
    created_at: datetime


def place_order(key: str | None, request: OrderRequest, accepted: tuple[str, ...]) -> PlaceOrder:
    """A checked request as the writer takes it. Problem 400 names each field that is wrong."""
    if key is None or not KEY.fullmatch(key):
        detail = "the header Idempotency-Key is needed: 16 to 64 letters, digits, - or _, new for each order"
        raise Problem(400, "idempotency_key", detail)
    shipping = request.shipping
    phone = normal_phone(shipping.phone)
    name, address = _cleaned(shipping.name), _cleaned(shipping.address)
    wrong = []
    if phone is None:
        wrong.append(("shipping.phone", "a mobile number of Bangladesh, such as 01712345678"))
    if shipping.district not in DISTRICTS:
        wrong.append(("shipping.district", "no district of Bangladesh; GET /api/v1/districts lists them"))
    wrong += [
        (f"shipping.{field}", "empty") for field, text in (("name", name), ("address", address)) if not text
    ]
    if request.payment not in accepted:
        wrong.append(("payment", f"one of {', '.join(accepted)}"))
    quantities: dict[str, int] = {}
    for line in request.lines:
        quantities[line.product] = quantities.get(line.product, 0) + line.quantity
    wrong += [
        ("lines", f"more than {MAX_QUANTITY} pieces of {product}")
        for product, quantity in quantities.items()
        if quantity > MAX_QUANTITY
    ]
    if wrong or phone is None:
        errors = [{"field": field, "message": message} for field, message in wrong]
        raise Problem(400, "invalid", "; ".join(": ".join(each) for each in wrong), errors=errors)
    # A database keeps no NUL, and a slug with one is no product of ours anyway.
    lines = tuple((_cleaned(product), quantity) for product, quantity in quantities.items())
    return PlaceOrder(
        key=key,
        fingerprint=hashlib.sha256(msgspec.json.encode(request)).digest(),
        lines=lines,
        payment=request.payment,
        language=request.language,
        name=name,
        phone=phone,
        district=shipping.district,
        address=address,
        delivery_poisha=fee_poisha(shipping.district),
        seen_total_poisha=request.seen_total_poisha,
    )


def normal_phone(text: str) -> str | None:
    """`01712345678` for any way of writing it, in Bangla digits too; None where it is no mobile number."""
    found = PHONE.fullmatch(re.sub(r"[\s().-]", "", latin_digits(text)))
    return found[1] if found else None


def normal_number(text: str) -> str:
    """An order's number as it is stored, from what people type: O is a zero, I and L are a one."""
    plain = re.sub(r"[\s-]", "", latin_digits(text)).upper()
    return plain.translate(str.maketrans("OIL", "011"))


def _cleaned(text: str) -> str:
    """Without control characters (line breaks become spaces), in Unicode's composed form, trimmed."""
    text = unicodedata.normalize("NFC", text)
    if text.isprintable():
        return text.strip()
    plain = "".join(
        " " if char in "\r\n\t" else char
        for char in text
        if char in "\r\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
    )
    return plain.strip()
