"""A payment from the button to the money, by each provider, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from shop.orders.models import OrderEvent, Status
from shop.orders.states import change
from shop.payments.models import Payment, PaymentStatus
from shop.payments.service import Payments
from tests.payments.conftest import ONLINE, PHONE, TOTAL, World

pytestmark = pytest.mark.parametrize("method", ONLINE)


async def test_a_payment_goes_through(world: World, method: str) -> None:
    number, money = await world.begin(method)
    assert money.amount == "8960.00"
    answer = await world.shopper.post(f"/pay/{money.reference}/approve")
    assert answer.status_code == 303
    answer = await world.shop.get(answer.headers["location"])
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{world.settings.public_url}/bn/order.html?number={number}"
    payment = await world.payment()
    assert (payment.status, payment.reference) == (PaymentStatus.PAID, money.reference)
    assert payment.transaction == money.transaction
    assert payment.next_check_at is None
    assert await world.status(number) == Status.PAID
    assert money.moved == 1
    assert world.counts.seen[method, "paid"] == 1


async def test_the_page_of_the_gateway_offers_to_pay_and_to_cancel(world: World, method: str) -> None:
    _, money = await world.begin(method)
    page = await world.shopper.get(f"/pay/{money.reference}")
    assert "8960.00" in page.text
    assert (await world.shopper.get("/pay/none")).status_code == 404
    assert (await world.shopper.post("/pay/none/approve")).status_code == 404


async def test_who_cancels_has_not_paid_and_may_try_again(world: World, method: str) -> None:
    number, money = await world.begin(method)
    answer = await world.shopper.post(f"/pay/{money.reference}/cancel")
    await world.shop.get(answer.headers["location"])
    assert (await world.payment()).status in (PaymentStatus.FAILED, PaymentStatus.PENDING)
    assert await world.status(number) == Status.PLACED
    again = await world.shop.post("/api/v1/payments", json={"number": number, "phone": "+880 1712-345678"})
    assert again.status_code == 200
    second = list(world.gateways.payments.values())[-1]
    await world.pay(second)
    assert await world.status(number) == Status.PAID


async def test_a_callback_that_comes_many_times_counts_once(world: World, method: str) -> None:
    number, money = await world.begin(method)
    world.gateways.telling = "duplicate"
    await world.shopper.post(f"/pay/{money.reference}/approve")
    answers = await asyncio.gather(*(world.come_back(money) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert money.moved == 1
    events = [event.status for event in await world.all(OrderEvent) if event.order_number == number]
    assert events == [Status.PAID]
    assert world.counts.seen[method, "paid"] == 1


async def test_pods_that_settle_at_the_same_time_settle_once(world: World, method: str) -> None:
    """Each has its own tasks; only the database is common to them."""
    number, money = await world.begin(method)
    pods = [world.payments, _another_pod(world), _another_pod(world)]
    said = {"paymentID": money.reference, "payment_ref_id": money.reference, "tran_id": money.reference}
    if method == "bkash":
        money.state = "approved"
    else:
        money.move()
    await asyncio.gather(*(pod.called_back(method, said) for pod in pods for _ in range(3)))
    for pod in pods[1:]:
        await pod.stop()
    await world.sweep()
    assert await world.status(number) == Status.PAID
    assert (await world.payment()).status == PaymentStatus.PAID
    assert money.moved == 1
    assert [event.status for event in await world.all(OrderEvent)] == [Status.PAID]
    assert world.counts.seen[method, "paid"] == 1


async def test_two_payments_of_one_order_are_one_too_many(world: World, method: str) -> None:
    number, first = await world.begin(method)
    await world.shop.post("/api/v1/payments", json={"number": number, "phone": PHONE})
    second = list(world.gateways.payments.values())[-1]
    if method == "bkash":
        first.state = second.state = "approved"
        second.move()
    else:
        second.move()
    await asyncio.gather(world.pay(first), world.come_back(second))
    for _ in range(3):
        await world.sweep()
    assert sorted(payment.status for payment in await world.all(Payment)) == ["paid", "refunded"]
    assert first.refunds + second.refunds == 1
    assert await world.status(number) == Status.PAID


async def test_cancelling_a_paid_order_gives_the_money_back_once(world: World, method: str) -> None:
    number, money = await world.begin(method)
    await world.pay(money)
    await world.expire(number)
    assert (await world.payment()).status == PaymentStatus.REFUND_DUE
    for _ in range(4):
        await world.sweep()
    payment = await world.payment()
    assert (payment.status, payment.refund) == (PaymentStatus.REFUNDED, money.refund)
    assert money.refunds == 1
    assert await world.status(number) == Status.REFUNDED
    assert world.counts.seen[method, "refunded"] == 1


async def test_money_for_an_order_that_ran_out_of_time_takes_its_pieces_again(
    world: World, method: str
) -> None:
    number, money = await world.begin(method, quantity=3)
    await world.expire(number)
    assert await world.available() == 10
    money.move()
    await world.come_back(money)
    assert await world.status(number) == Status.PAID
    assert await world.available() == 7
    assert (await world.payment()).status == PaymentStatus.PAID


async def test_money_for_pieces_that_are_gone_goes_back(world: World, method: str) -> None:
    number, money = await world.begin(method, quantity=3)
    await world.expire(number)
    await world.order("cod", quantity=8)
    money.move()
    await world.come_back(money)
    assert (await world.payment()).status == PaymentStatus.REFUND_DUE
    for _ in range(3):
        await world.sweep()
    assert (await world.payment()).status == PaymentStatus.REFUNDED
    assert await world.status(number) == Status.REFUNDED
    assert await world.available() == 2
    assert money.refunds == 1


async def test_a_delivered_order_that_came_back_is_refunded_by_hand(world: World, method: str) -> None:
    number, money = await world.begin(method)
    await world.pay(money)
    async with world.sessions.begin() as session:
        for status in (Status.PACKED, Status.SHIPPED, Status.DELIVERED):
            await change(session, number, status, "test")
    payment = await world.payment()
    assert payment.id
    await world.payments.refund(payment.id)
    await world.payments.refund(payment.id)  # asked twice, given once
    for _ in range(3):
        await world.sweep()
    await world.payments.refund(payment.id)
    assert (await world.payment()).status == PaymentStatus.REFUNDED
    assert await world.status(number) == Status.REFUNDED
    assert money.refunds == 1
    assert money.amount == f"{TOTAL // 100}.00"


def _another_pod(world: World) -> Payments:
    transport = world.payments._gateway._client._transport
    return Payments(world.settings, world.sessions, world.counts, transport=transport)
