"""The waiting room over HTTP."""

from __future__ import annotations

from typing import Annotated, Protocol

import msgspec
from litestar import post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta

from shop.openapi import problem
from shop.orders.limits import MAX_LINES
from shop.waiting.room import Place, WaitingRoom

NO_STORE = CacheControlHeader(no_store=True)


class Shop(Protocol):
    """What these handlers need of the running shop."""

    room: WaitingRoom


CurrentShop = NamedDependency[SkipValidation[Shop]]


class Arrival(msgspec.Struct, frozen=True):
    """`key` is the Idempotency-Key of the order to come, `products` what it will hold."""

    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    products: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(min_length=1, max_length=MAX_LINES)
    ]


class Waiting(msgspec.Struct, frozen=True):
    """A ticket, as it was given."""

    ticket: Annotated[str, Meta(min_length=1, max_length=8192)]


@post(
    "/api/v1/waiting-room",
    status_code=200,
    operation_id="enter_waiting_room",
    summary="Take a place in line, if there is one",
    tags=["waiting room"],
    cache_control=NO_STORE,
)
async def enter(data: JSONBody[Arrival], shop: CurrentShop) -> Place:
    """`open`: order at once. `waiting`: ask again with the ticket. `admitted`: order with the pass."""
    return shop.room.enter(data.key, tuple(data.products))


@post(
    "/api/v1/waiting-room/poll",
    status_code=200,
    operation_id="poll_waiting_room",
    summary="Ask whether it is one's turn",
    tags=["waiting room"],
    cache_control=NO_STORE,
    responses={
        400: problem("`ticket`: not one of ours"),
        410: problem("`ticket_expired`: take another one"),
    },
)
async def poll(data: JSONBody[Waiting], shop: CurrentShop) -> Place:
    """One's place keeps the time of arrival, whichever server is asked, through every restart."""
    return shop.room.poll(data.ticket)


ROUTES = [enter, poll]
