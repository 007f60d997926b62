"""The one way to talk to a gateway: bounded in time and size, without redirects, never trusting."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import httpx
import msgspec

from shop.payments.protocol import GatewayError, GatewayUnreachableError

PATIENCE = 30.0
"""Seconds for a whole answer: as long as bKash asks to wait for an execution."""
LARGEST = 256 * 1024
CHATTY = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""They log addresses, and SSLCommerz wants the store's password in the address."""
TRIES = 3


class Gateway:
    """Asks and takes JSON. Certificates are verified; proxies of the environment are not used."""

    def __init__(self, patience: float = PATIENCE, transport: httpx.AsyncBaseTransport | None = None) -> None:
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._patience = patience
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(patience, connect=min(patience, 5.0)),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": "DhakaCart"},
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def ask(self, method: str, url: str, *, repeatable: bool = False, **what: Any) -> dict[str, Any]:
        """The answer's JSON object, whatever its status below 500 is: gateways say errors in words.

        A `repeatable` question is put again when the gateway fails, but not when it is slow: whoever
        asks has waited long enough. GatewayError when there is no answer to believe.
        """
        for attempt in range(TRIES if repeatable else 1):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt * (0.5 + random.random()))  # noqa: S311 -- spreads load
            try:
                return await self._once(method, url, what)
            except GatewayUnreachableError as error:
                failure = error
        raise failure

    async def _once(self, method: str, url: str, what: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._patience):
                status, body = await self._read(method, url, what)
        except (TimeoutError, httpx.TimeoutException):
            raise GatewayError("no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GatewayUnreachableError(f"no answer: {type(error).__name__}") from None
        if status >= 500:
            raise GatewayUnreachableError(f"status {status}")
        if 300 <= status < 400:
            raise GatewayError(f"status {status}, a redirect")
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise GatewayError(f"status {status}, and no JSON object") from None

    async def _read(self, method: str, url: str, what: dict[str, Any]) -> tuple[int, bytes]:
        body = bytearray()
        async with self._client.stream(method, url, **what) as response:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise GatewayError("the answer is too large")
            return response.status_code, bytes(body)
