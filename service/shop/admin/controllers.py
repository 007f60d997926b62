"""The shop's back office over HTTP. Every route names the role that it needs."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from litestar import Request, Router, get, post, put
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from shop.accounts.guards import needs
from shop.accounts.models import Role, Staff
from shop.admin import orders, products, staff
from shop.admin.schemas import (
    Available,
    Movement,
    NewStaff,
    OrderDetail,
    OrderPage,
    ProductDraft,
    ProductPage,
    ProductRow,
    StaffChange,
    StaffRow,
    StatusChange,
)
from shop.database.engine import Sessions
from shop.money import Language
from shop.orders.models import Status
from shop.payments.service import Payments
from shop.stock.service import receive

MOST = 2**31 - 1


class Shop(Protocol):
    """What these handlers need of the running shop."""

    sessions: Sessions
    payments: Payments


CurrentShop = NamedDependency[SkipValidation[Shop]]
Asking = Request[Any, Any, Any]
Page = Annotated[int, QueryParameter(ge=1, le=10_000, description="Fifty a page.")]
Lang = Annotated[Language, QueryParameter(description="Language of names.")]
Search = Annotated[str, QueryParameter(max_length=100)]
SUPPORT, WAREHOUSE, MANAGER = ([needs(role)] for role in (Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER))


def _who(request: Asking) -> Staff:
    found: Staff = request.scope["state"]["session"].staff
    return found


@get("/orders", operation_id="admin_list_orders", summary="Orders, the newest first", guards=SUPPORT)
async def list_orders(
    shop: CurrentShop,
    status: Annotated[str, QueryParameter(max_length=16)] = "",
    q: Search = "",
    page: Page = 1,
) -> OrderPage:
    """By status; `q` is a number or a phone."""
    async with shop.sessions() as session:
        return await orders.page(session, status, q, page)


@get(
    "/orders/{number:str}", operation_id="admin_get_order", summary="An order with everything", guards=SUPPORT
)
async def get_order(
    number: FromPath[str], shop: CurrentShop, request: Asking, lang: Lang = "bn"
) -> OrderDetail:
    """With the address, the payments, and what it may become."""
    async with shop.sessions() as session:
        return await orders.detail(session, number, _who(request), lang)


@post(
    "/orders/{number:str}/status",
    status_code=200,
    operation_id="admin_move_order",
    summary="Bring an order to a status",
    guards=SUPPORT,
)
async def move_order(
    number: FromPath[str], data: JSONBody[StatusChange], shop: CurrentShop, request: Asking, lang: Lang = "bn"
) -> OrderDetail:
    """Cancelling gives pieces back, and makes money due for refund. The history says who did it."""
    async with shop.sessions.begin() as session:
        await orders.move(session, number, Status(data.status), _who(request))
        return await orders.detail(session, number, _who(request), lang)


@get("/products", operation_id="admin_list_products", summary="Products, those off sale too", guards=SUPPORT)
async def list_products(shop: CurrentShop, q: Search = "", page: Page = 1) -> ProductPage:
    """By slug; `q` is a part of slug or name."""
    async with shop.sessions() as session:
        return await products.page(session, q, page)


@post("/products", operation_id="admin_create_product", summary="A new product", guards=MANAGER)
async def create_product(data: JSONBody[ProductDraft], shop: CurrentShop) -> ProductRow:
    """Shoppers see it within a moment, as sold out until pieces come in."""
    async with shop.sessions.begin() as session:
        return await products.create(session, data)


@put(
    "/products/{number:int}", operation_id="admin_replace_product", summary="Change a product", guards=MANAGER
)
async def replace_product(
    number: FromPath[int], data: JSONBody[ProductDraft], shop: CurrentShop
) -> ProductRow:
    """Shoppers see it within a moment; orders keep the price that they were placed at."""
    async with shop.sessions.begin() as session:
        return await products.replace(session, _bounded(number), data)


@post(
    "/products/{number:int}/stock",
    status_code=200,
    operation_id="admin_book_stock",
    summary="Book pieces in or out",
    guards=WAREHOUSE,
)
async def book_stock(
    number: FromPath[int], data: JSONBody[Movement], shop: CurrentShop, request: Asking
) -> Available:
    """Sales book themselves."""
    async with shop.sessions.begin() as session:
        actor = _who(request).email[:100]
        row = await receive(session, _bounded(number), data.quantity, data.reason, actor)
        return Available(row.available)


@post(
    "/payments/{number:int}/refund",
    status_code=202,
    operation_id="admin_refund_payment",
    summary="Give a payment back",
    guards=MANAGER,
)
async def refund_payment(number: FromPath[int], shop: CurrentShop) -> None:
    """The provider is asked soon; the order's page tells when it is done."""
    await shop.payments.refund(_bounded(number))


@get("/staff", operation_id="admin_list_staff", summary="All accounts", guards=MANAGER)
async def list_staff(shop: CurrentShop) -> list[StaffRow]:
    """By email."""
    async with shop.sessions() as session:
        return await staff.everybody(session)


@post("/staff", operation_id="admin_add_staff", summary="A new account", guards=MANAGER)
async def add_staff(data: JSONBody[NewStaff], shop: CurrentShop) -> StaffRow:
    """With its first password."""
    async with shop.sessions.begin() as session:
        return await staff.add(session, data)


@put("/staff/{number:int}", operation_id="admin_change_staff", summary="Change an account", guards=MANAGER)
async def change_staff(
    number: FromPath[int], data: JSONBody[StaffChange], shop: CurrentShop, request: Asking
) -> StaffRow:
    """Ends every session of theirs."""
    async with shop.sessions.begin() as session:
        return await staff.alter(session, _bounded(number), data, _who(request))


def _bounded(number: int) -> int:
    """A number that the database can hold; what is larger is nobody's."""
    return min(max(number, 0), MOST)


ROUTES = [
    Router(
        "/api/v1/admin",
        route_handlers=[
            *(list_orders, get_order, move_order, list_products, create_product, replace_product),
            *(book_stock, refund_payment, list_staff, add_staff, change_staff),
        ],
        tags=["staff"],
        cache_control=CacheControlHeader(no_store=True),
    )
]
