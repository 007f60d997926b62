"""A lean HTTP/1.1 client on asyncio: the load must cost less than what it loads."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

SECONDS = 30.0


class Response(NamedTuple):
    """Status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Address(NamedTuple):
    """Where a shop listens."""

    host: str
    port: int


def local(target: str) -> Address:
    """The address of `http://HOST:PORT`. ValueError unless it is this machine's."""
    parts = urlsplit(target)
    host = parts.hostname or ""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if parts.scheme != "http" or not here:
        raise ValueError(
            f"`{target}` is not this machine: a load test runs against http://127.0.0.1:PORT only"
        )
    return Address(host, parts.port or 80)


class Connection:
    """One connection, kept alive; opened anew when the server closed it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """One request. OSError, EOFError or TimeoutError when no answer came."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._address.host}:{self._address.port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        try:
            async with asyncio.timeout(SECONDS):
                return await self._exchange(message, answer_has_body=method != "HEAD")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, message: bytes, *, answer_has_body: bool) -> Response:
        if not self._streams:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])
        }
        body = await _body(reader, headers) if answer_has_body and status not in (204, 304) else b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Response(status, headers, body)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
