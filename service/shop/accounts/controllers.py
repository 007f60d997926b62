"""Sessions of staff over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import msgspec
from litestar import Request, Response, delete, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta

from shop.accounts.accounts import TOKEN_LIVES, Accounts, Session
from shop.accounts.guards import COOKIE, needs
from shop.accounts.models import Role
from shop.openapi import problem
from shop.settings import Settings


class Shop(Protocol):
    """What these handlers need of the running shop."""

    accounts: Accounts
    settings: Settings


CurrentShop = NamedDependency[SkipValidation[Shop]]


class Credentials(msgspec.Struct, frozen=True):
    """An account and its password."""

    email: Annotated[str, Meta(min_length=3, max_length=200)]
    password: Annotated[str, Meta(min_length=1, max_length=200)]


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in. `token` is for programs; browsers have the cookie."""

    name: str
    role: str
    token: str
    expires_in: int
    """Seconds; renew before."""


def _answer(shop: Shop, session: Session, token: str) -> Response[SignedIn]:
    said = SignedIn(session.staff.name, session.staff.role, token, int(TOKEN_LIVES))
    return Response(said, cookies=[_cookie(shop, token)], headers={"Cache-Control": "no-store"})


def _cookie(shop: Shop, token: str) -> Cookie:
    return Cookie(
        COOKIE,
        value=token,
        path="/api/v1",
        httponly=True,
        secure=shop.settings.public_url.startswith("https:"),
        samesite="strict",
        max_age=int(TOKEN_LIVES) if token else 0,
    )


@post(
    "/api/v1/sessions",
    status_code=200,
    operation_id="sign_in",
    summary="Sign in as staff",
    tags=["staff"],
    responses={401: problem("No such account, or another password"), 429: problem("Too many tries")},
)
async def sign_in(
    data: JSONBody[Credentials], shop: CurrentShop, request: Request[Any, Any, Any]
) -> Response[SignedIn]:
    """A token for a quarter of an hour, as a cookie too."""
    client = str(request.scope["state"].get("client", ""))
    session = await shop.accounts.sign_in(data.email, data.password, client)
    return _answer(shop, session, session.token)


@post(
    "/api/v1/sessions/renew",
    status_code=200,
    operation_id="renew_session",
    summary="Renew one's token",
    tags=["staff"],
    guards=[needs(Role.SUPPORT)],
    responses={401: problem("Sign in first")},
)
async def renew(shop: CurrentShop, request: Request[Any, Any, Any]) -> Response[SignedIn]:
    """Another quarter of an hour, until twelve hours after signing in."""
    session: Session = request.scope["state"]["session"]
    return _answer(shop, session, shop.accounts.renewed(session))


@delete(
    "/api/v1/sessions", operation_id="sign_out", summary="Forget the cookie", tags=["staff"], status_code=204
)
async def sign_out(shop: CurrentShop) -> Response[None]:
    """The token itself ends by its time."""
    return Response(None, status_code=204, cookies=[_cookie(shop, "")])


ROUTES = [sign_in, renew, sign_out]
