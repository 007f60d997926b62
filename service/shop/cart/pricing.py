"""Prices a cart by the catalogue in memory: what it says is what an order of now would cost."""

from __future__ import annotations

from collections.abc import Sequence

from shop.cart.schemas import CartRequest, District, LineProblem, PricedCart, PricedLine, WantedLine
from shop.catalogue.answers import invalid
from shop.catalogue.snapshot import ProductView, Snapshot
from shop.money import Language, taka
from shop.orders.delivery import DISTRICTS, fee_poisha
from shop.orders.limits import MAX_QUANTITY
from shop.texts import message


def price(snapshot: Snapshot, wanted: CartRequest) -> PricedCart:
    """The cart with prices and problems. Problem 400 for a district that does not exist."""
    if wanted.district and wanted.district not in DISTRICTS:
        raise invalid([("district", "no district of Bangladesh; GET /api/v1/districts lists them")])
    lines = [
        _line(snapshot.products.get(product), product, quantity, wanted.language)
        for product, quantity in _together(wanted.lines).items()
    ]
    subtotal = sum(line.line_total_poisha for line in lines if line.available)
    delivery = fee_poisha(wanted.district) if wanted.district else None
    total = subtotal + (delivery or 0)
    return PricedCart(
        lines=lines,
        subtotal_poisha=subtotal,
        subtotal=taka(subtotal, wanted.language),
        delivery_poisha=delivery,
        delivery=None if delivery is None else taka(delivery, wanted.language),
        total_poisha=total,
        total=taka(total, wanted.language),
        orderable=bool(lines) and all(line.available for line in lines),
    )


def districts(language: Language) -> list[District]:
    """All districts with their fees, by name in the language."""
    made = [
        District(slug, bn if language == "bn" else en, fee_poisha(slug), taka(fee_poisha(slug), language))
        for slug, (bn, en) in DISTRICTS.items()
    ]
    return sorted(made, key=lambda each: each.name)


def _together(lines: Sequence[WantedLine]) -> dict[str, int]:
    """Quantities by product, in the cart's order: a product that stands there twice is one line."""
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.product] = quantities.get(line.product, 0) + line.quantity
    return quantities


def _line(product: ProductView | None, slug: str, quantity: int, language: Language) -> PricedLine:
    problem = _problem(product, quantity)
    unit = product.price_poisha if product else 0
    return PricedLine(
        product=slug,
        name=product.name(language) if product else slug,
        image=product.image if product else "",
        quantity=quantity,
        unit_price_poisha=unit,
        unit_price=taka(unit, language),
        line_total_poisha=unit * quantity,
        line_total=taka(unit * quantity, language),
        stock=product.stock if product else "sold_out",
        available=problem is None,
        problem=problem,
        message=message(problem, language) if problem else None,
    )


def _problem(product: ProductView | None, quantity: int) -> LineProblem | None:
    if product is None:
        return "unknown_product"
    if product.stock == "sold_out":
        return "sold_out"
    return "too_many" if quantity > MAX_QUANTITY else None
