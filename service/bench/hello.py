"""The least that an application can do on the same server: `python -m bench.hello PORT`."""

from __future__ import annotations

import sys
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

BODY = b"Hello, world!"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"13")]


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """ASGI, raw."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvloop.run(
        Server(
            hello,
            address="127.0.0.1",
            port=int(sys.argv[1]),
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
        ).serve()
    )
