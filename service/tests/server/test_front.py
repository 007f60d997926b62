"""The front's edges: forged heads of requests, who goes first when it is full, and what breaks behind it."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from shop.server.front import Front
from tests.server.asking import ask
from tests.server.conftest import GOODS, Order, eventually, key


def lines(front: Front, out: io.BytesIO) -> list[dict[str, Any]]:
    """What the log says so far."""
    front._lines.flush()
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def test_every_answer_names_its_request_and_may_not_be_sniffed(front: Front) -> None:
    for path in ("/api/v1/products", "/api/v1/districts", "/nothing"):
        answer = await ask(front, "GET", path)
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    ids = {(await ask(front, "GET", "/api/v1/products")).headers["x-request-id"] for _ in range(50)}
    assert len(ids) == 50


@pytest.mark.parametrize("given", ["a b", 'x","level":"error', "é", "y" * 65, "", "a\\n"])
async def test_a_request_id_that_is_none_is_replaced(front: Front, given: str) -> None:
    answer = await ask(front, "GET", "/api/v1/products", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] != given


@pytest.mark.parametrize("address", ['fe80::1%","x":"', "10.0.0.1, 1.1.1.1", "nobody", '"}', "999.1.1.1"])
async def test_an_address_that_is_none_is_not_written_down(
    front: Front, out: io.BytesIO, address: str
) -> None:
    await ask(front, "GET", "/api/v1/products", headers={"x-client-address": address})
    await ask(front, "GET", "/api/v1/products", peer=address)
    assert [line["client"] for line in lines(front, out)] == ["127.0.0.1", "unknown"]


async def test_what_shoppers_type_is_never_in_the_log(front: Front, out: io.BytesIO, order: Order) -> None:
    shipping = {
        "name": 'Secret Name"\n{"level":"error"}',
        "phone": "01798765432",
        "district": "dhaka",
        "address": "12 Secret Road",
    }
    headers = {**key(), "cookie": "session=secret", "user-agent": "Secret\r\nAgent"}
    placed = await ask(front, "POST", "/api/v1/orders?a=secret", order(shipping=shipping), headers)
    assert placed.status == 201, placed.body
    number = placed.json["number"]
    await ask(front, "POST", "/api/v1/orders/track", {"number": number, "phone": "01798765432"})
    await ask(front, "GET", '/api/v1/products/x"\n{"level":"error"}')
    assert len(lines(front, out)) == 3
    text = out.getvalue().decode()
    for secret in ("Secret", "secret", "98765432", number, "error"):
        assert secret not in text


async def test_deep_nesting_is_the_senders_mistake(front: Front) -> None:
    sent = {**key(), "content-type": "application/json"}
    for path in ("/api/v1/orders", "/api/v1/cart", "/api/v1/orders/track", "/api/v1/waiting-room"):
        answer = await ask(front, "POST", path, b"[" * 60_000, sent)
        assert (answer.status, answer.json["code"]) == (400, "invalid")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "x", ""])
async def test_another_content_type_is_no_error_of_the_shop(front: Front, order: Order, kind: str) -> None:
    body = json.dumps(order()).encode()
    answer = await ask(front, "POST", "/api/v1/orders", body, {**key(), "content-type": kind})
    assert answer.status in (201, 400, 415), answer.body


async def test_a_stranger_is_counted_by_its_own_address_whatever_it_says(front: Front) -> None:
    front._rate = type(front._rate)(1)
    statuses = [
        (
            await ask(
                front,
                "POST",
                "/api/v1/orders",
                {},
                {"x-client-address": f"198.51.100.{number}"},
                peer="203.0.113.9",
            )
        ).status
        for number in range(3)
    ]
    assert statuses == [400, 429, 429]


async def test_when_it_is_full_browsing_waits_first_then_carts_then_orders(
    front: Front, order: Order
) -> None:
    async def statuses(in_flight: int) -> list[int]:
        front.limiter.in_flight = in_flight
        cart = {"lines": [{"product": GOODS[0].slug, "quantity": 1}], "language": "en"}
        answers = [
            await ask(front, "GET", "/api/v1/districts"),
            await ask(front, "POST", "/api/v1/cart", cart),
            await ask(front, "POST", "/api/v1/orders", order(), key()),
            await ask(front, "GET", "/api/v1/products"),
            await ask(front, "GET", "/readyz"),
        ]
        return [answer.status for answer in answers]

    front.limiter.limit = 10
    assert await statuses(5) == [200, 200, 201, 200, 200]
    assert await statuses(6) == [503, 200, 201, 200, 200]
    assert await statuses(8) == [503, 503, 201, 200, 200]
    assert await statuses(10) == [503, 503, 503, 200, 200]
    value = front.shop.metrics.registry.get_sample_value
    shed = {
        name: value("shop_http_requests_shed_total", {"class": name})
        for name in ("browse", "cart", "checkout")
    }
    assert shed == {"browse": 3, "cart": 2, "checkout": 1}


async def test_a_gateway_that_hangs_takes_nobodys_place(front: Front, order: Order) -> None:
    before = front.limiter.limit
    waiting = [front.limiter.enter("gateway") for _ in range(300)]
    assert 0 < waiting.count(True) < 300, "they are bounded, too"
    assert (
        await ask(front, "POST", "/api/v1/payments", {"number": "7Q4M2ZK9TB", "phone": "x"})
    ).status == 503
    assert (await ask(front, "POST", "/api/v1/orders", order(), key())).status == 201
    for _ in range(waiting.count(True)):
        front.limiter.leave("gateway", 30.0)
    assert (front.limiter.limit, front.limiter.under_way) == (before, 0)


async def test_a_defect_is_told_without_a_traceback(
    front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, order: Order
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(front.shop.writer, "place", broken)
    answer = await ask(front, "POST", "/api/v1/orders", order(), key())
    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert b"secret" not in answer.body
    assert "a secret of ours" in caplog.text
    assert front.limiter.under_way == 0


async def test_a_database_that_is_away_is_said_to_be(
    front: Front, monkeypatch: pytest.MonkeyPatch, order: Order
) -> None:
    async def away(_: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(front.shop.writer, "place", away)
    answer = await ask(front, "POST", "/api/v1/orders", order(), key())
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "database", "2")


async def test_a_client_that_goes_away_frees_its_place(front: Front) -> None:
    sent = {"content-length": "10", "content-type": "application/json"}
    asking = asyncio.create_task(ask(front, "POST", "/api/v1/cart", [b"{", None], sent))
    await eventually(lambda: front.under_way == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert front.under_way == 0


async def test_a_body_that_does_not_come_takes_nobodys_place_and_ends(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.server.front.BODY_SECONDS", 0.2)
    sent = {"content-length": "10", "content-type": "application/json"}
    asking = asyncio.create_task(ask(front, "POST", "/api/v1/cart", [b"{", None], sent))
    await eventually(lambda: front.under_way == 1)
    assert front.limiter.under_way == 0
    answer = await asking
    assert (answer.status, answer.json["code"], answer.headers["connection"]) == (408, "too_slow", "close")
    assert front.under_way == 0


@pytest.mark.parametrize("length", ["65537", "-1", "1e3", "99999999999999999999", "x", ""])
async def test_a_length_that_can_not_be_is_refused_before_the_body(front: Front, length: str) -> None:
    sent = {"content-length": length, "content-type": "application/json"}
    answer = await ask(front, "POST", "/api/v1/cart", [None], sent)
    assert (answer.status, answer.json["code"]) == (413, "too_large")
