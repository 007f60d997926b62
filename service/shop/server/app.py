"""Puts the rooms together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Contact
from litestar.static_files import create_static_files_router
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shop import __version__
from shop.accounts.controllers import ROUTES as ACCOUNTS
from shop.admin.controllers import ROUTES as ADMIN
from shop.cart.controllers import ROUTES as CART
from shop.catalogue.controllers import ROUTES as CATALOGUE
from shop.orders.controllers import ROUTES as ORDERS
from shop.payments.controllers import ROUTES as PAYMENTS
from shop.problems import MEDIA_TYPE, Problem, unavailable
from shop.server.front import LARGEST_BODY, Front
from shop.server.logs import Lines
from shop.server.state import Shop, create_shop
from shop.settings import Settings
from shop.waiting.controllers import ROUTES as WAITING

ROUTES = [*CATALOGUE, *CART, *ORDERS, *PAYMENTS, *WAITING, *ACCOUNTS, *ADMIN]

DATA_EXCEPTION = "22"
"""PostgreSQL's class of errors about values: no NUL in a text, no number out of range."""

log = logging.getLogger(__name__)


def create_app(settings: Settings, lines: Lines | None = None) -> Front:
    """The whole shop as an ASGI application. Its lifespan starts and stops it."""
    shop = create_shop(settings)
    lines = lines or Lines()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await shop.start()
        try:
            yield
        finally:
            await shop.stop()
            lines.flush()

    routes: list[Any] = list(ROUTES)
    if settings.web_root:
        routes += _pages(settings.web_root)
    app = Litestar(
        routes,
        dependencies={"shop": Provide(lambda: shop, sync_to_thread=False)},
        exception_handlers={
            Problem: _problem,
            HTTPException: _http,
            DBAPIError: _database,
            PoolTimeoutError: _database,
            OSError: _database,
            RecursionError: _too_deep,
            Exception: _unexpected,
        },
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="DhakaCart",
            version=__version__,
            description="The shop's API. Amounts are whole poisha; a mistake is told as problem details.",
            contact=Contact(name="DhakaCart", url=settings.public_url),
            path="/api",
            use_handler_docstrings=True,
        ),
        request_max_body_size=LARGEST_BODY,
    )
    app.state.shop = shop
    return Front(app, shop, lines)  # type: ignore[arg-type]  # Litestar's scopes are narrower types


def _pages(folder: Path) -> list[Router]:
    """The built pages, where no nginx serves them. No browser keeps those of staff: nginx says so, too."""
    keep_none = {"cache_control": CacheControlHeader(no_store=True)}
    parts: list[tuple[str, Path, dict[str, Any]]] = [
        ("/admin", folder / "admin", keep_none),
        ("/", folder, {}),
    ]
    return [
        create_static_files_router(path, [directory], html_mode=True, name=f"pages{path}", **more)
        for path, directory, more in parts
        if directory.is_dir()
    ]


def _answer(problem: Problem) -> Response[bytes]:
    return Response(
        problem.body(),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def _problem(_: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return _answer(problem)


def _http(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals: a body that can not be read, no such path, another method."""
    if isinstance(error, ValidationException) or error.status_code == 400:
        found = [each for each in error.extra or () if isinstance(each, dict)]
        errors = [{"field": _field(each), "message": str(each.get("message", ""))} for each in found]
        said = "; ".join(f"{each['field']}: {each['message']}" for each in errors) or error.detail
        return _answer(Problem(400, "invalid", said[:2000], errors=errors))
    code = {404: "not_found", 405: "method", 413: "too_large", 415: "media_type", 401: "signed_out"}
    return _answer(
        Problem(
            error.status_code, code.get(error.status_code, "refused"), error.detail, headers=error.headers
        )
    )


def _field(error: dict[str, Any]) -> str:
    return str(error.get("key", "body")).removeprefix("data.")


def _database(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """No answer of the database; or a value that it can not hold, which is the sender's mistake."""
    if str(getattr(getattr(error, "orig", None), "sqlstate", "")).startswith(DATA_EXCEPTION):
        return _answer(Problem(400, "invalid", "a value that can not be stored", errors=[]))
    log.warning("the database did not answer a request: %s: %s", type(error).__name__, _first_line(error))
    return _answer(unavailable("database", "the database is away; try again", 2))


def _too_deep(_: Request[Any, Any, Any], __: RecursionError) -> Response[bytes]:
    """JSON that is nested deeper than anything sensible."""
    return _answer(Problem(400, "invalid", "the body is nested too deeply", errors=[]))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("a request failed: %s %s", request.method, request.scope.get("path_template"), exc_info=error)
    return _answer(Problem(500, "internal", "something is broken on our side"))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


__all__ = ["Shop", "create_app"]
