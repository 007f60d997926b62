"""The load's own client and its arrivals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from loadtest import open_loop
from loadtest.client import Address, Connection, local
from loadtest.open_loop import arrive, orders, place
from loadtest.verdict import Answer


@pytest.mark.parametrize("target", ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000"])
def test_this_machine_may_be_loaded(target: str) -> None:
    assert local(target).port > 0


@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://dhakacart.com.bd",
            "http://10.0.0.1:8000",
            "http://localhost.example:80",
            "http://0.0.0.0:80",
        ),
        *("127.0.0.1:8000", "", "https://127.0.0.1", "http://127.0.0.1.example"),
    ],
)
def test_nothing_else_is_ever_loaded(target: str) -> None:
    with pytest.raises(ValueError, match="not this machine"):
        local(target)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Address, list[bytes]]]:
    """Answers each order by its path's rules: the first line of each request is kept."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except EOFError:
                break
            seen.append(head)
            length = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
            if length:
                await reader.readexactly(int(length[0].split(b":")[1]))
            if b"/hang-up" in head:
                break
            body = json.dumps({"number": f"N{len(seen)}"}).encode()
            if b"/chunked" in head:
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
                writer.write(b"3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n")
                break
            if b"busy-" in head:
                writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\ncontent-length: 0\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield Address("127.0.0.1", listening.sockets[0].getsockname()[1]), seen
    listening.close()


Server = tuple[Address, list[bytes]]


async def test_a_chunked_answer_is_read_and_a_closed_connection_opened_again(server: Server) -> None:
    connection = Connection(server[0])
    assert (await connection.ask("GET", "/chunked")).body == b"abcde"
    assert (await connection.ask("POST", "/x", body=b"{}")).status == 201
    connection.close()


async def test_an_order_is_told_by_its_status_and_number(server: Server) -> None:
    connection = Connection(server[0])
    placed = await place(connection, "k" * 16, b"{}", "10.0.0.1")
    assert (placed.status, placed.number) == (201, "N1")
    assert b"idempotency-key: kkkkkkkkkkkkkkkk" in server[1][0]
    assert b"x-client-address: 10.0.0.1" in server[1][0]
    assert (await place(connection, "busy-" * 4, b"{}", "10.0.0.1")).shed
    connection.close()


async def test_no_answer_is_status_0() -> None:
    assert (await place(Connection(Address("127.0.0.1", 1)), "k" * 16, b"{}", "10.0.0.1")).status == 0


async def test_arrivals_come_at_the_rate_whatever_the_answers(server: Server) -> None:
    run = await arrive(server[0], 200, 1, orders(["a-product"], doubled=True))
    assert 140 < len(run.answers) < 260
    assert len({each.key for each in run.answers}) == -(-len(run.answers) // 2)
    assert run.not_sent == 0


async def test_what_is_in_flight_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_loop, "IN_FLIGHT", 3)
    release = asyncio.Event()

    async def never(_: Connection, number: int) -> Answer:
        await release.wait()
        return Answer(str(number), 0, "", 0)

    asyncio.get_running_loop().call_later(0.4, release.set)
    run = await arrive(server[0], 100, 0.2, never)
    assert len(run.answers) == 3
    assert run.not_sent > 0
