"""Orders over HTTP: placing one, following it, cancelling it."""

from __future__ import annotations

from typing import Annotated, Protocol

from litestar import Response, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, JSONBody, QueryParameter, SkipValidation

from shop.database.engine import Sessions
from shop.money import Language
from shop.openapi import answer, problem
from shop.orders.models import Status
from shop.orders.schemas import OrderRequest, PlacedOrder, Reference, TrackedOrder, place_order
from shop.orders.states import change, locked
from shop.orders.tracking import cancellable, describe, find
from shop.orders.writer import OrderWriter
from shop.problems import MEDIA_TYPE, Problem
from shop.settings import Settings
from shop.waiting.room import WaitingRoom

NO_STORE = CacheControlHeader(no_store=True)
PLACED = {
    "number": "7Q4M2ZK9TB",
    "status": "placed",
    "payment": "cod",
    "reserved_until": None,
    "lines": [{"product": "jamdani-saree-red", "quantity": 1, "unit_price_poisha": 890_000}],
    "subtotal_poisha": 890_000,
    "delivery_poisha": 6_000,
    "total_poisha": 896_000,
    "total": "৳8,960",
}


class Shop(Protocol):
    """What these handlers need of the running shop."""

    settings: Settings
    sessions: Sessions
    writer: OrderWriter
    room: WaitingRoom


CurrentShop = NamedDependency[SkipValidation[Shop]]
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Mandatory. New for each order, the same for each repetition of it.",
        examples=[Example(value="9f3c1d0e-5a77-4f0c-9d0e-2b1f6a7c8d9e")],
    ),
]
Pass = Annotated[
    str | None,
    HeaderParameter(
        name="Waiting-Pass", description="Of the waiting room, while there is one.", max_length=2048
    ),
]
Lang = Annotated[Language, QueryParameter(description="Language of names and amounts.")]


@post(
    "/api/v1/orders",
    operation_id="place_order",
    summary="Place an order, once",
    tags=["orders"],
    responses={
        201: answer(
            PlacedOrder,
            "Placed and durable. A repetition gets this very answer, and `Idempotency-Replayed`",
            PLACED,
        ),
        400: problem("A field or the Idempotency-Key is wrong; `errors` names each"),
        409: problem(
            "`sold_out`: not enough is left; `price_changed`: the total is not what the shopper saw"
        ),
        422: problem("`unknown_product`, or `key_reused`: the key belongs to another order"),
        429: problem("`slow_down`: too many from one address"),
        503: problem("Busy, `waiting_room`, or no database: try again with the same key after Retry-After"),
    },
)
async def place(
    data: JSONBody[OrderRequest], shop: CurrentShop, idempotency_key: Key = None, waiting_pass: Pass = None
) -> Response[bytes]:
    """Order what is in the cart. Prices are the shop's; stock, order and key are one durable transaction."""
    request = place_order(idempotency_key, data, shop.settings.payments)
    shop.room.admit(request.key, waiting_pass)
    stored = await shop.writer.place(request)
    headers = {"Cache-Control": "no-store"}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    media_type = "application/json" if stored.status < 400 else MEDIA_TYPE
    return Response(stored.body, status_code=stored.status, media_type=media_type, headers=headers)


@post(
    "/api/v1/orders/track",
    status_code=200,
    operation_id="track_order",
    summary="Where an order stands",
    tags=["orders"],
    cache_control=NO_STORE,
    responses={404: problem("No order has this number and this phone")},
)
async def track(data: JSONBody[Reference], shop: CurrentShop, lang: Lang = "bn") -> TrackedOrder:
    """An order by its number and the phone it was ordered with; both may be in Bangla digits."""
    async with shop.sessions() as session:
        return await describe(session, await find(session, data), lang)


@post(
    "/api/v1/orders/cancel",
    status_code=200,
    operation_id="cancel_order",
    summary="Cancel an order that is not packed yet",
    tags=["orders"],
    cache_control=NO_STORE,
    responses={
        404: problem("No order has this number and this phone"),
        409: problem("`wrong_status`: it is packed already, or cancelled"),
    },
)
async def cancel(data: JSONBody[Reference], shop: CurrentShop, lang: Lang = "bn") -> TrackedOrder:
    """Its pieces go back into the stock; money that was paid is paid back."""
    async with shop.sessions.begin() as session:
        order = await locked(session, (await find(session, data)).number)
        if not cancellable(order):
            raise Problem(409, "wrong_status", f"an order that is {order.status} is not cancelled any more")
        order = await change(session, order.number, Status.CANCELLED, "shopper")
        return await describe(session, order, lang)


ROUTES = [place, track, cancel]
