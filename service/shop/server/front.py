"""What stands before every request: one lean ASGI wrapper instead of a row of middlewares.

Who asks, whether there is room, the catalogue straight from memory, metrics and a line of the log. What is
not answered here goes on to the application.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import lru_cache
from typing import Any

import msgspec

from shop.problems import MEDIA_TYPE, Problem, unavailable
from shop.server.limits import GATEWAY, Limiter
from shop.server.logs import Lines
from shop.server.metrics import Tally
from shop.server.rate import Rate, too_often
from shop.server.state import Shop

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CHECKOUT = ("/api/v1/orders", "/api/v1/sessions", "/api/v1/waiting-room")
PAYMENTS = "/api/v1/payments"
RATED = ("/api/v1/orders", "/api/v1/sessions")
CATALOGUE = ("/api/v1/products", "/api/v1/categories")
SECURITY = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"strict-origin-when-cross-origin")]
UNKNOWN = "unknown"
LARGEST_BODY = 64 * 1024
"""Bytes."""
BODY_SECONDS = 15.0
"""Until a body must be there."""
_CLOSE = {"Connection": "close"}
_TOO_LARGE = Problem(413, "too_large", f"a body has at most {LARGEST_BODY} bytes", headers=_CLOSE)
_TOO_SLOW = Problem(408, "too_slow", f"a body must be sent within {BODY_SECONDS:g} seconds", headers=_CLOSE)


class Front:
    """The application with everything around it. One a process."""

    def __init__(self, app: App, shop: Shop, lines: Lines) -> None:
        self._app = app
        self.shop = shop
        self._lines = lines
        self._log = shop.settings.log_level in ("debug", "info")
        self._trusted = lru_cache(maxsize=4096)(_truster(shop))
        self._rate = Rate(shop.settings.checkouts_per_minute)
        self._kinds: dict[tuple[str, str, int], tuple[Tally, str]] = {}
        self._ids = _request_ids()
        self.limiter = Limiter(floor=shop.settings.database_pool_size * 4)
        self._reading = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        shop.metrics.gauge("shop_http_requests_in_flight", "Requests under way.", lambda: self.under_way)
        shop.metrics.gauge(
            "shop_http_requests_limit", "Requests that may be under way.", lambda: self.limiter.limit
        )

    @property
    def under_way(self) -> int:
        """Requests that came and are not answered, those whose body is not there yet among them."""
        return self._reading + self.limiter.under_way

    def cut(self) -> None:
        """End what is under way, unanswered: its time is over."""
        for task in self._tasks:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == "/livez":
            await respond(send, 200, [], b"")
            return
        if path == "/readyz":
            why = await self.shop.ready()
            await respond(send, 503 if why else 200, [], why.encode())
            return
        began = time.perf_counter()
        client, request_id = self._who(scope)
        if path.startswith(CATALOGUE) and scope["method"] in ("GET", "HEAD"):
            answer = self.shop.catalogue.answer(
                path, scope["query_string"], scope["headers"], scope["method"]
            )
            if answer is not None:
                headers = [*answer.headers, *SECURITY, (b"x-request-id", request_id)]
                if self.shop.draining:
                    headers.append((b"connection", b"close"))
                await respond(send, answer.status, headers, answer.body)
                route = path if path in CATALOGUE else "/api/v1/products/{slug}"
                self._record(scope["method"], route, answer.status, began, client, request_id)
                return
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._pass(scope, receive, send, began, client, request_id)
        finally:
            self._tasks.discard(task)

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, began: float, client: str, request_id: bytes
    ) -> None:
        """Let the application answer, if there is room."""
        path, method = scope["path"], scope["method"]
        kind = _kind(method, path)
        scope["state"]["client"] = client
        status = 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *SECURITY, (b"x-request-id", request_id)]
                if self.shop.draining:
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        rated = path.rstrip("/")  # the application takes a path with a slash at its end for the same
        if method == "POST" and rated in RATED and (wait := self._rate.wait(client)):
            await _refuse(answered, too_often(wait))
            self._record(method, rated, status, began, client, request_id)
            return
        self._reading += 1
        try:
            async with asyncio.timeout(BODY_SECONDS):
                receive = await _with_body(scope, receive)
        except (Problem, TimeoutError) as error:
            await _refuse(answered, error if isinstance(error, Problem) else _TOO_SLOW)
            self._record(method, UNKNOWN, status, began, client, request_id)
            return
        finally:
            self._reading -= 1
        if not self.limiter.enter(kind):
            self.shop.metrics.shed("checkout" if kind == GATEWAY else kind)
            await _refuse(answered, unavailable("overload", "the shop is busy; try again"))
            self._record(method, "shed", status, began, client, request_id)
        else:
            entered = time.perf_counter()
            try:
                await self._app(scope, receive, answered)
            finally:
                self.limiter.leave(kind, time.perf_counter() - entered)
                self._record(method, _route(scope), status, began, client, request_id)

    def _who(self, scope: Scope) -> tuple[str, bytes]:
        """The client's address and the request's id: as the edge says, where it is the edge that asks."""
        peer = scope["client"][0] if scope.get("client") else ""
        client, request_id = _address(peer.encode()) or UNKNOWN, b""
        if self._trusted(peer):
            for name, value in scope["headers"]:
                if name == b"x-request-id":
                    request_id = value if REQUEST_ID.fullmatch(value) else b""
                elif name == b"x-client-address":
                    client = _address(value) or client
        return client, request_id or next(self._ids)

    def _record(
        self, method: str, route: str, status: int, began: float, client: str, request_id: bytes
    ) -> None:
        seconds = time.perf_counter() - began
        known = self._kinds.get((method, route, status))
        if known is None:
            known = self._kind_of(method, route, status)
        tally, said = known
        tally.add(seconds)
        if self._log:  # every part is checked or our own: nothing needs escaping
            self._lines.write(
                f'{{"time":"{_now()}",{said},"duration_seconds":{seconds:.6f},'
                f'"client":"{client}","request_id":"{request_id.decode()}"}}'
            )

    def _kind_of(self, method: str, route: str, status: int) -> tuple[Tally, str]:
        """Where requests of a kind are counted, and what is the same in all lines about them."""
        if method not in METHODS:
            method = "OTHER"
        said = msgspec.json.encode(
            {"level": "info", "message": "request", "method": method, "route": route, "status": status}
        ).decode()[1:-1]
        known = self.shop.metrics.requests.tally(method, route, status), said
        if method != "OTHER":  # else whoever makes up methods fills the memory
            self._kinds[method, route, status] = known
        return known


async def _with_body(scope: Scope, receive: Receive) -> Receive:
    """`receive` that has the whole body already: who sends slowly waits here, and takes nobody's place.

    Problem 413 where it is too large, whatever the length that was told.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), None)
    if length is None and all(name != b"transfer-encoding" for name, _ in scope["headers"]):
        return receive
    if length is not None and not (length.isdigit() and int(length) <= LARGEST_BODY):
        raise _TOO_LARGE
    messages: list[Message] = []
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise _TOO_LARGE
        more = message["type"] == "http.request" and message.get("more_body", False)
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole answer."""
    if not headers:
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, problem: Problem) -> None:
    body = problem.body()
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await respond(send, problem.status, [*headers, (b"cache-control", b"no-store")], body)


def _kind(method: str, path: str) -> str:
    if path.startswith(PAYMENTS):
        return GATEWAY
    if method == "POST":
        if path.startswith(CHECKOUT):
            return "checkout"
        if path.startswith("/api/v1/cart"):
            return "cart"
    return "browse"


def _route(scope: Scope) -> str:
    """The pattern that matched, never the path: each label is a series for ever."""
    if scope.get("path_template"):
        return str(scope["path_template"])
    return UNKNOWN


def _truster(shop: Shop) -> Callable[[str], bool]:
    def trusts(peer: str) -> bool:
        address = _address(peer.encode())
        networks = shop.settings.trusted_proxies
        return bool(address) and any(ipaddress.ip_address(address) in network for network in networks)

    return trusts


@lru_cache(maxsize=65_536)
def _address(text: bytes) -> str:
    """An address in its usual form, or nothing. A zone (`fe80::1%…`) may hold anything, so it is none."""
    try:
        return "" if b"%" in text else str(ipaddress.ip_address(text.decode("ascii", "replace").strip()))
    except ValueError:
        return ""


def _request_ids() -> Iterator[bytes]:
    """Ids that no other process makes: some randomness once, then a number."""
    prefix = secrets.token_hex(6)
    return (f"{prefix}-{number:x}".encode() for number in itertools.count(1))


def _now() -> str:
    moment = time.time()
    whole = int(moment)
    return f"{_second(whole)}.{int((moment - whole) * 1000):03d}Z"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
