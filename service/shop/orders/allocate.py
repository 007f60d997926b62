"""Who gets what of the stock: a pure decision over a batch of orders, in their order of arrival."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from shop.catalogue.snapshot import stock_state
from shop.money import Language, taka
from shop.orders.models import Status

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that is misread on the phone
NUMBER_LENGTH = 10
_ENCODER = msgspec.json.Encoder()


class Item(NamedTuple):
    """A product as the database has it now, its stock locked."""

    id: int
    slug: str
    available: int
    price_poisha: int


class PlaceOrder(NamedTuple):
    """An order that somebody asks for. `fingerprint` is the SHA-256 of what it means."""

    key: str
    fingerprint: bytes
    lines: tuple[tuple[str, int], ...]
    """Product slug and quantity; each product once."""
    payment: str
    language: Language
    name: str
    phone: str
    district: str
    address: str
    delivery_poisha: int
    seen_total_poisha: int | None = None


class NewOrder(NamedTuple):
    """An order to be written."""

    number: str
    request: PlaceOrder
    subtotal_poisha: int
    total_poisha: int
    reserved_until: datetime | None
    lines: tuple[tuple[int, int, int], ...]
    """Product id, quantity, unit price in poisha."""


class Outcome(NamedTuple):
    """What is answered to a key, now and to every repetition; `order` where there is one."""

    key: str
    status: int
    body: bytes
    order: NewOrder | None = None


class Decision(NamedTuple):
    """All that a batch changes."""

    outcomes: list[Outcome]
    left: dict[int, int]
    """Product id → pieces left, of those that changed."""
    shown: bool
    """Whether what shoppers are shown of a product changes."""


def order_number() -> str:
    """A new order's number: 50 random bits, so that it tells nothing and meets no other."""
    bits = int.from_bytes(secrets.token_bytes(7), "big")
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(0, 5 * NUMBER_LENGTH, 5))


def allocate(
    requests: Iterable[PlaceOrder],
    stock: Mapping[str, Item],
    now: datetime,
    reservation: timedelta,
    number: Callable[[], str] = order_number,
) -> Decision:
    """Decide each request in turn: whole or not at all. One that is refused takes nothing from the next."""
    left = {item.id: item.available for item in stock.values()}
    outcomes = [_decide(request, stock, left, now, reservation, number) for request in requests]
    changed = {item.id: left[item.id] for item in stock.values() if left[item.id] != item.available}
    shown = any(stock_state(item.available) != stock_state(left[item.id]) for item in stock.values())
    return Decision(outcomes, changed, shown)


def _decide(
    request: PlaceOrder,
    stock: Mapping[str, Item],
    left: dict[int, int],
    now: datetime,
    reservation: timedelta,
    number: Callable[[], str],
) -> Outcome:
    unknown = [slug for slug, _ in request.lines if slug not in stock]
    if unknown:
        return refused(
            request.key, 422, "unknown_product", f"not for sale: {', '.join(unknown)}", products=unknown
        )
    lines = [(stock[slug], quantity) for slug, quantity in request.lines]
    short = [(item.slug, left[item.id]) for item, quantity in lines if left[item.id] < quantity]
    if short:
        said = [{"product": slug, "left": pieces} for slug, pieces in short]
        return refused(request.key, 409, "sold_out", "not enough pieces are left", products=said)
    subtotal = sum(item.price_poisha * quantity for item, quantity in lines)
    total = subtotal + request.delivery_poisha
    if request.seen_total_poisha not in (None, total):
        return refused(
            request.key,
            409,
            "price_changed",
            "the total is another one than the shopper saw",
            total_poisha=total,
            total=taka(total, request.language),
        )
    for item, quantity in lines:
        left[item.id] -= quantity
    until = None if request.payment == "cod" else now + reservation
    rows = tuple((item.id, quantity, item.price_poisha) for item, quantity in lines)
    order = NewOrder(number(), request, subtotal, total, until, rows)
    return Outcome(request.key, 201, _placed(order, lines), order)


def refused(key: str, status: int, code: str, detail: str, **extra: object) -> Outcome:
    """An outcome without an order, as problem details."""
    return Outcome(key, status, _ENCODER.encode({"status": status, "code": code, "detail": detail, **extra}))


def _placed(order: NewOrder, lines: list[tuple[Item, int]]) -> bytes:
    request = order.request
    return _ENCODER.encode(
        {
            "number": order.number,
            "status": Status.PLACED.value,
            "payment": request.payment,
            "reserved_until": order.reserved_until,
            "lines": [
                {"product": item.slug, "quantity": quantity, "unit_price_poisha": item.price_poisha}
                for item, quantity in lines
            ],
            "subtotal_poisha": order.subtotal_poisha,
            "delivery_poisha": request.delivery_poisha,
            "total_poisha": order.total_poisha,
            "total": taka(order.total_poisha, request.language),
        }
    )
