"""Asks an ASGI application directly, as a peer of one's choice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from shop.server.front import Front

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The document."""
        return msgspec.json.decode(self.body)


async def ask(
    app: Any,
    method: str,
    path: str,
    body: object = b"",
    headers: Headers | None = None,
    peer: str = "127.0.0.1",
) -> Answer:
    """One request. Bytes go as they are, a list of bytes in pieces without a length, all else as JSON.

    A piece that is None never comes.
    """
    sent = {"host": "shop", **(headers or {})}
    if isinstance(body, bytes):
        pieces: list[bytes | None] = [body]
        if body:
            sent.setdefault("content-length", str(len(body)))
    elif isinstance(body, list) and body and isinstance(body[0], bytes | None):
        pieces = body
    else:
        encoded = msgspec.json.encode(body)
        pieces = [encoded]
        sent.setdefault("content-length", str(len(encoded)))
        sent.setdefault("content-type", "application/json")
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": (peer, 5000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    got: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if waiting and waiting[0]["body"] is not None:
            return waiting.pop(0)
        await asyncio.Event().wait()  # a client that stays
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        got.append(message)

    await app(scope, receive, send)
    said = {name.decode().lower(): value.decode() for name, value in got[0].get("headers", ())}
    return Answer(got[0]["status"], said, b"".join(each.get("body", b"") for each in got[1:]))


@asynccontextmanager
async def alive(app: Front) -> AsyncIterator[Front]:
    """The application between its lifespan's start and stop."""
    events: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.3"}, "state": {}}
    running = asyncio.create_task(app(scope, events.get, answers.put))
    await events.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    try:
        yield app
    finally:
        await events.put({"type": "lifespan.shutdown"})
        assert (await answers.get())["type"] == "lifespan.shutdown.complete"
        await running
