"""Who may: a guard for each role. Cookies count only with a header that no foreign page can send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from shop.accounts.accounts import signed_out
from shop.accounts.models import Role, Staff
from shop.problems import Problem

COOKIE = "shop-session"
CSRF = "x-requested-with"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RANK = {Role.SUPPORT: 1, Role.WAREHOUSE: 2, Role.MANAGER: 3}

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def may(staff: Staff, role: Role) -> bool:
    """Whether somebody may what a role may."""
    return RANK[Role(staff.role)] >= RANK[role]


def needs(role: Role) -> Guard:
    """A guard that lets in whoever has this role or a higher one. Problem 401 or 403 for others."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        shop = connection.app.state.shop
        session = await shop.accounts.read(_token(connection))
        connection.scope["state"]["session"] = session
        if not may(session.staff, role):
            raise forbidden()

    return guard


def forbidden() -> Problem:
    """403: not with this role."""
    return Problem(403, "forbidden", "your role does not allow this")


def _token(connection: Connection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    cookie = connection.cookies.get(COOKIE)
    if not cookie:
        raise signed_out()
    if connection.scope.get("method") not in SAFE and CSRF not in connection.headers:
        raise Problem(403, "forbidden", "a request by cookie needs the header X-Requested-With")
    return cookie
