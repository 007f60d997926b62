"""Gateways that fail, lie or stay silent, and callbacks that anybody may have sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import update

from shop.catalogue.models import now
from shop.orders.models import Status
from shop.payments.fake import end_of
from shop.payments.models import Payment, PaymentStatus
from shop.payments.refunds import name_refund
from tests.payments.conftest import ONLINE, PHONE, World

ASKED = {"bkash": "bkash.status", "nagad": "nagad.verify", "sslcommerz": "sslcommerz.transactions"}
OPENED = {"bkash": "bkash.create", "nagad": "nagad.complete", "sslcommerz": "sslcommerz.session"}
AMOUNT = {"bkash": "bkash.execute", "nagad": "nagad.verify", "sslcommerz": "sslcommerz.validation"}
REFUND = {"bkash": "bkash.refund", "nagad": "nagad.cancel", "sslcommerz": "sslcommerz.refund"}


@pytest.mark.parametrize("method", ONLINE)
async def test_a_forged_callback_moves_nothing(world: World, method: str) -> None:
    number, money = await world.begin(method)
    answer = await world.come_back(money, end_of(money, True))  # says paid, and is not
    assert answer.status_code == 303
    assert (await world.payment()).status == PaymentStatus.PENDING
    assert await world.status(number) == Status.PLACED
    money.state = "cancelled"
    world.gateways.telling = "forged"
    await world.shopper.post(f"/pay/{money.reference}/approve")
    assert await world.status(number) == Status.PLACED
    assert money.moved == 0


@pytest.mark.parametrize("method", ONLINE)
async def test_a_callback_that_says_cancelled_does_not_undo_a_payment(world: World, method: str) -> None:
    number, money = await world.begin(method)
    await world.pay(money)
    await world.come_back(money, end_of(money, False))
    assert await world.status(number) == Status.PAID


async def test_callbacks_about_nothing_lead_home_and_ask_no_gateway(world: World) -> None:
    _, money = await world.begin("bkash")
    before = sum(world.gateways.calls.values())
    for fields in (
        {},
        {"paymentID": ""},
        {"paymentID": "TR-unknown"},
        {"paymentID": "x" * 10_000},
        {"paymentID": "a\0b"},
        {"paymentID": "' OR 1=1 --"},
        {"tran_id": money.reference},
    ):
        answer = await world.come_back(money, fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{world.settings.public_url}/")
    wrong_provider = await world.shop.get(
        "/api/v1/payments/nagad/callback", params={"payment_ref_id": money.reference}
    )
    assert wrong_provider.headers["location"] == f"{world.settings.public_url}/"
    for provider in ("cod", "paypal"):
        assert (await world.shop.get(f"/api/v1/payments/{provider}/callback")).status_code == 404
    for body in (b"\xff\xfe\0", b"&".join(b"a=1" for _ in range(500)), b"{}"):
        answer = await world.shop.post("/api/v1/payments/bkash/callback?ipn=1", content=body)
        assert answer.status_code == 200
    assert sum(world.gateways.calls.values()) == before


@pytest.mark.parametrize("method", ONLINE)
async def test_money_that_moved_without_an_answer_is_found_by_asking(world: World, method: str) -> None:
    number, money = await world.begin(method)
    world.gateways.misbehave("bkash.execute", "lost")
    world.gateways.misbehave(ASKED[method], *([] if method == "bkash" else ["lost"]))
    with world.impatient():
        await world.pay(money)
    await world.sweep()
    assert await world.status(number) == Status.PAID
    assert (await world.payment()).transaction == money.transaction
    assert money.moved == 1


@pytest.mark.parametrize("fault", ["error", "garbage", "large", "redirect", "refused", "foreign"])
@pytest.mark.parametrize("method", ONLINE)
async def test_an_answer_that_can_not_be_believed_is_asked_for_again(
    world: World, method: str, fault: str
) -> None:
    number, money = await world.begin(method)
    operation = AMOUNT[method] if fault == "foreign" else ASKED[method]
    world.gateways.misbehave(operation, *[fault] * (3 if fault == "error" else 1))
    answer = await world.pay(money)
    assert answer.headers["location"].endswith(number)
    assert (await world.payment()).status == PaymentStatus.PENDING
    assert (await world.payment()).next_check_at is not None
    assert await world.status(number) == Status.PLACED
    await world.sweep()
    assert await world.status(number) == Status.PAID
    assert money.moved == 1


@pytest.mark.parametrize("method", ONLINE)
async def test_one_failure_of_the_gateway_is_not_even_noticed(world: World, method: str) -> None:
    number, money = await world.begin(method)
    world.gateways.misbehave(ASKED[method], "error")
    await world.pay(money)
    assert await world.status(number) == Status.PAID


@pytest.mark.parametrize("method", ONLINE)
async def test_another_amount_is_not_the_price_and_goes_back(world: World, method: str) -> None:
    number, money = await world.begin(method)
    world.gateways.misbehave(AMOUNT[method], "wrong_amount")
    await world.pay(money)
    payment = await world.payment()
    assert (payment.status, payment.amount_poisha) == (PaymentStatus.REFUND_DUE, 100)
    assert await world.status(number) == Status.PLACED
    assert world.counts.seen[method, "paid"] == 0


@pytest.mark.parametrize("fault", ["error", "garbage", "refused"])
@pytest.mark.parametrize("method", ONLINE)
async def test_a_payment_that_can_not_be_opened_is_said_so(world: World, method: str, fault: str) -> None:
    number = await world.order(method)
    world.gateways.misbehave(OPENED[method], fault)
    asked = {"number": number, "phone": PHONE}
    answer = await world.shop.post("/api/v1/payments", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await world.payment()).status == PaymentStatus.FAILED
    assert (await world.shop.post("/api/v1/payments", json=asked)).status_code == 200


@pytest.mark.parametrize("method", ONLINE)
async def test_a_refund_whose_answer_was_lost_is_not_made_twice(world: World, method: str) -> None:
    number, money = await world.begin(method)
    await world.pay(money)
    await world.expire(number)
    world.gateways.misbehave(REFUND[method], "error", "lost")
    await world.sweep()  # fails before anything is done
    assert money.refunds == 0
    with world.impatient():
        await world.sweep()  # does it, and nobody hears
    for _ in range(3):
        await world.sweep()
    assert money.refunds == 1
    if method == "sslcommerz":  # its refund has no name before an answer: the merchant's panel tells it
        async with world.sessions.begin() as session:
            await name_refund(session, (await world.payment()).id or 0, money.refund)
        await world.sweep()
    assert (await world.payment()).status == PaymentStatus.REFUNDED
    assert money.refunds == 1


async def test_a_refund_that_takes_its_time_is_waited_for(world: World) -> None:
    number, money = await world.begin("sslcommerz")
    await world.pay(money)
    await world.expire(number)
    world.gateways.refunds_take_time = True
    for _ in range(3):
        await world.sweep()
    payment = await world.payment()
    assert (payment.status, payment.refund) == (PaymentStatus.REFUND_DUE, money.refund)
    world.gateways.refunds_take_time = False
    await world.sweep()
    assert (await world.payment()).status == PaymentStatus.REFUNDED
    assert money.refunds == 1


async def test_bkash_takes_no_money_for_an_order_that_is_no_more(world: World) -> None:
    number, money = await world.begin("bkash")
    await world.expire(number)
    await world.pay(money)
    assert money.moved == 0
    assert world.gateways.calls["bkash.execute"] == 0
    assert await world.status(number) == Status.CANCELLED


async def test_bkash_grants_one_token_for_many_calls_and_a_new_one_when_it_is_refused(world: World) -> None:
    await asyncio.gather(*(world.begin("bkash") for _ in range(4)))
    assert world.gateways.calls["bkash.grant"] == 1
    world.gateways.tokens.clear()
    await world.begin("bkash")
    assert world.gateways.calls["bkash.grant"] == 2


async def test_a_payment_that_nobody_makes_is_given_up_after_a_day_but_late_money_counts(
    world: World,
) -> None:
    number, money = await world.begin("sslcommerz")
    for _ in range(3):
        await world.sweep()
    assert (await world.payment()).status == PaymentStatus.PENDING
    async with world.sessions.begin() as session:
        await session.execute(update(Payment).values(created_at=now() - timedelta(hours=25)))
    await world.sweep()
    payment = await world.payment()
    assert (payment.status, payment.next_check_at) == (PaymentStatus.EXPIRED, None)
    assert await world.sweep() == 0
    await world.pay(money)
    assert await world.status(number) == Status.PAID


async def test_the_sweeper_settles_what_no_callback_told(world: World) -> None:
    number, money = await world.begin("nagad")
    money.move()
    await world.make_due()
    await world.payments.start()
    async with asyncio.timeout(20):
        while await world.status(number) != Status.PAID:
            await asyncio.sleep(0.05)


async def test_the_sweeper_outlives_a_database_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, money = await world.begin("nagad")
    money.move()
    await world.make_due()
    take, fails = world.payments._take_due, iter([True, True])

    async def take_due() -> list[Payment]:
        if next(fails, False):
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await take()

    monkeypatch.setattr(world.payments, "_take_due", take_due)
    await world.payments.start()
    async with asyncio.timeout(20):
        while await world.status(number) != Status.PAID:
            world.payments.nudge()
            await asyncio.sleep(0.05)


async def test_stopping_does_not_wait_longer_than_the_drain(world: World) -> None:
    _, money = await world.begin("nagad")
    world.payments._settings = replace(world.settings, drain_seconds=0.1)
    world.gateways.misbehave("nagad.verify", "lost")
    callback = asyncio.create_task(world.pay(money))
    while not world.payments._settling:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        await world.payments.stop()
    callback.cancel()
    assert (await world.payment()).status == PaymentStatus.PENDING


async def test_a_slow_gateway_is_waited_for(world: World) -> None:
    number, money = await world.begin("nagad")
    world.gateways.misbehave("nagad.verify", "slow")
    await world.pay(money)
    assert await world.status(number) == Status.PAID


async def test_only_who_knows_the_phone_may_pay_and_only_what_waits_for_it(world: World) -> None:
    async def ask(number: str, phone: str = PHONE) -> tuple[int, str]:
        answer = await world.shop.post("/api/v1/payments", json={"number": number, "phone": phone})
        return answer.status_code, answer.json().get("code", "")

    number = await world.order("bkash")
    assert await ask(number, "01700000000") == (404, "unknown_order")
    assert await ask(number, "") == (400, "")
    assert await ask("NOSUCH") == (404, "unknown_order")
    assert await ask("'; DROP TABLE orders --") == (400, "")
    assert await ask(await world.order("cod")) == (409, "not_allowed")
    assert await ask(await world.order("bkash", minutes=-1)) == (409, "not_allowed")
    assert (await ask(number.lower(), "০১৭১২-৩৪৫৬৭৮"))[0] == 200
    for _ in range(9):
        assert (await ask(number))[0] == 200
    assert await ask(number) == (409, "not_allowed")


async def test_only_paid_payments_of_orders_that_are_over_are_refunded(world: World) -> None:
    from shop.problems import Problem

    _, money = await world.begin("nagad")
    with pytest.raises(Problem, match="no such payment"):
        await world.payments.refund(999)
    with pytest.raises(Problem, match="not paid"):
        await world.payments.refund((await world.payment()).id or 0)
    await world.pay(money)
    with pytest.raises(Problem, match="cancel it first"):
        await world.payments.refund((await world.payment()).id or 0)


async def test_the_fake_is_told_over_http_what_to_do_wrong(world: World) -> None:
    assert (await world.shopper.post("/control/nagad.verify/error?times=2")).status_code == 204
    assert (await world.shopper.post("/control/callbacks/late")).status_code == 204
    assert list(world.gateways.faults["nagad.verify"]) == ["error", "error"]
    assert world.gateways.telling == "late"
