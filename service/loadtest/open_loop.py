"""Arrivals that do not wait for answers: shoppers of a sale come whether or not the shop keeps up.

Exponential gaps between arrivals (Poisson), and a bound on what may be in flight: what would exceed it counts
as refused by the client, so that the generator's own queue is never measured.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec

from loadtest import shoppers
from loadtest.client import Address, Connection
from loadtest.verdict import Answer

IN_FLIGHT = 2_000


class Run(NamedTuple):
    """Answers in the order they came, arrivals that were not sent, seconds from the first to the last."""

    answers: list[Answer]
    not_sent: int
    seconds: float


Send = Callable[[Connection, int], Awaitable[Answer]]


async def arrive(address: Address, rate: float, seconds: float, send: Send, seed: int = 1) -> Run:
    """`rate` arrivals a second for so many seconds; each does `send(connection, number)`."""
    generator = random.Random(seed)  # noqa: S311 - arrivals, no secret
    idle: deque[Connection] = deque()
    answers: list[Answer] = []
    running: set[asyncio.Task[None]] = set()
    not_sent = number = 0

    async def one(arrival: int) -> None:
        connection = idle.pop() if idle else Connection(address)
        answers.append(await send(connection, arrival))
        idle.append(connection)

    began = due = time.perf_counter()
    while due < began + seconds:
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        if len(running) < IN_FLIGHT:
            task = asyncio.create_task(one(number))
            running.add(task)
            task.add_done_callback(running.discard)
        else:
            not_sent += 1
        number += 1
        due += generator.expovariate(rate)
    lasted = time.perf_counter() - began
    await asyncio.gather(*running)
    for connection in idle:
        connection.close()
    return Run(answers, not_sent, lasted)


def orders(products: Sequence[str], *, doubled: bool, seed: int = 1, first_client: int = 0) -> Send:
    """Each arrival orders one of `products`; with `doubled` every key is sent by two arrivals."""
    encoder = msgspec.json.Encoder()

    async def send(connection: Connection, number: int) -> Answer:
        shopper = number // 2 if doubled else number
        generator = random.Random(seed * 1_000_003 + shopper)  # noqa: S311 - the same twice is the point
        body = encoder.encode(shoppers.order(generator, [generator.choice(products)]))
        key = f"open-loop-{seed}-{first_client}-{shopper:010d}"
        return await place(connection, key, body, shoppers.client_address(first_client + shopper))

    return send


async def place(
    connection: Connection, key: str, body: bytes, client: str, headers: dict[str, str] | None = None
) -> Answer:
    """Send one order; never raises: no answer is status 0."""
    began = time.perf_counter()
    sent = {"idempotency-key": key, "x-client-address": client, **(headers or {})}
    try:
        answer = await connection.ask("POST", "/api/v1/orders", sent, body)
    except (OSError, EOFError, TimeoutError):
        return Answer(key, 0, "", time.perf_counter() - began)
    number = msgspec.json.decode(answer.body)["number"] if answer.status == 201 else ""
    shed = answer.status == 503 and "retry-after" in answer.headers
    return Answer(key, answer.status, number, time.perf_counter() - began, shed)
