"""The cart over HTTP: the browser keeps it, the server prices and checks it."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import JSONBody, QueryParameter

from shop.cart.pricing import districts, price
from shop.cart.schemas import CartRequest, DistrictList, PricedCart
from shop.catalogue.controllers import CurrentShop
from shop.money import Language
from shop.openapi import answer, problem

EXAMPLE = {
    "lines": [
        {
            "product": "jamdani-saree-red",
            "name": "Dhakai jamdani saree, red",
            "image": "saree-red.svg",
            "quantity": 1,
            "unit_price_poisha": 890_000,
            "unit_price": "৳8,900",
            "line_total_poisha": 890_000,
            "line_total": "৳8,900",
            "stock": "in_stock",
            "available": True,
            "problem": None,
            "message": None,
        }
    ],
    "subtotal_poisha": 890_000,
    "subtotal": "৳8,900",
    "delivery_poisha": 6_000,
    "delivery": "৳60",
    "total_poisha": 896_000,
    "total": "৳8,960",
    "orderable": True,
}


@post(
    "/api/v1/cart",
    status_code=200,
    operation_id="price_cart",
    summary="Price a cart and check it",
    tags=["cart"],
    cache_control=CacheControlHeader(no_store=True),
    responses={
        200: answer(PricedCart, "The cart at the prices of now", EXAMPLE),
        400: problem("A field is wrong; `errors` names each"),
        503: problem("The catalogue is not loaded yet, or the shop is too busy"),
    },
)
async def price_cart(data: JSONBody[CartRequest], shop: CurrentShop) -> PricedCart:
    """What the cart costs now, and line by line what keeps it from being ordered. Nothing is reserved."""
    return price(shop.catalogue.snapshot, data)


@get(
    "/api/v1/districts",
    operation_id="list_districts",
    summary="Districts and what delivery there costs",
    tags=["cart"],
    cache_control=CacheControlHeader(public=True, max_age=300),
)
async def list_districts(
    lang: Annotated[Language, QueryParameter(description="Language of names and prices.")] = "bn",
) -> DistrictList:
    """The 64 districts of Bangladesh, by name."""
    return DistrictList(districts(lang))


ROUTES = [price_cart, list_districts]
