"""Payments over HTTP: where to pay, and where gateways and shoppers come back to."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.response import Redirect
from msgspec import Meta

from shop.openapi import answer, problem
from shop.payments.service import Payments
from shop.settings import Settings

CALLBACK = "/api/v1/payments/{provider:str}/callback"
NO_STORE = CacheControlHeader(no_store=True)
MOST_FIELDS = 100


class Shop(Protocol):
    """What these handlers need of the running shop."""

    settings: Settings
    payments: Payments


CurrentShop = NamedDependency[SkipValidation[Shop]]


class PayRequest(msgspec.Struct, frozen=True):
    """Which order to pay: its number and the phone that it was placed with."""

    number: Annotated[str, Meta(min_length=1, max_length=16, pattern="^[0-9A-Za-z]+$")]
    phone: Annotated[str, Meta(min_length=1, max_length=32)]


class PayAnswer(msgspec.Struct, frozen=True):
    """Where the shopper pays: a page of the provider's."""

    redirect_url: str


class Methods(msgspec.Struct, frozen=True):
    """Ways to pay, in the order to show."""

    items: list[str]


@get(
    "/api/v1/payments/methods",
    operation_id="list_payment_methods",
    summary="Ways to pay",
    tags=["payments"],
    cache_control=CacheControlHeader(public=True, max_age=60),
)
async def methods(shop: CurrentShop) -> Methods:
    """`cod` is cash on delivery; the others lead to a page of the provider's."""
    return Methods(list(shop.settings.payments))


@post(
    "/api/v1/payments",
    status_code=200,
    operation_id="begin_payment",
    summary="Pay an order online",
    tags=["payments"],
    cache_control=NO_STORE,
    responses={
        200: answer(
            PayAnswer,
            "The provider's page",
            {"redirect_url": "https://payment.example/redirect?paymentID=TR0011"},
        ),
        400: problem("A field is wrong; `errors` names each"),
        404: problem("There is no order with this number and phone"),
        409: problem("The order does not wait for a payment online"),
        503: problem("The provider or the database can not be reached; `Retry-After` says when to try again"),
    },
)
async def begin_payment(
    request: Request[Any, Any, Any], shop: CurrentShop, data: JSONBody[PayRequest]
) -> PayAnswer:
    """Open a payment of an order that waits for it, and say where it is made."""
    # The front knows the shopper's address from the trusted proxy.
    client = _ipv4(str(request.scope.get("state", {}).get("client", "")))
    return PayAnswer(await shop.payments.begin(data.number.upper(), data.phone, client))


@get(
    CALLBACK,
    operation_id="payment_callback",
    summary="A shopper comes back from a provider",
    tags=["payments"],
    cache_control=NO_STORE,
    status_code=303,
    responses={404: problem("There is no such way to pay")},
)
async def callback(
    request: Request[Any, Any, Any], shop: CurrentShop, provider: FromPath[str]
) -> Response[Any]:
    """Nothing that a callback says is believed: the gateway is asked. Then the shopper sees the order."""
    return await _called_back(shop, provider, _fields(request.scope["query_string"]))


@post(
    CALLBACK,
    operation_id="payment_notification",
    summary="A provider tells of a payment",
    tags=["payments"],
    cache_control=NO_STORE,
    status_code=303,
    responses={
        200: answer(None, "Heard: asked for with `?ipn=1`"),
        404: problem("There is no such way to pay"),
    },
)
async def notification(
    request: Request[Any, Any, Any], shop: CurrentShop, provider: FromPath[str]
) -> Response[Any]:
    """As GET, with the fields in the form; a server that calls with `?ipn=1` is answered 200."""
    query = _fields(request.scope["query_string"])
    answer = await _called_back(shop, provider, query | _fields(await request.body()))
    if query.get("ipn") == "1":
        return Response(None, status_code=200)
    return answer


async def _called_back(shop: Shop, provider: str, said: dict[str, str]) -> Response[Any]:
    order = await shop.payments.called_back(provider, said)
    path = f"/{order.language}/order.html?number={order.number}" if order else "/"
    return Redirect(shop.settings.public_url + path, status_code=303)


def _fields(encoded: bytes) -> dict[str, str]:
    """Fields of a query or a form; none of what is neither."""
    try:
        return dict(parse_qsl(encoded.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 -- what providers take for none


ROUTES = [methods, begin_payment, callback, notification]
