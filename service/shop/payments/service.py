"""Payments of orders: begun, settled exactly once, given back where the order is no more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shop.catalogue.models import now
from shop.database.engine import Sessions
from shop.money import latin_digits
from shop.orders.models import Order, Status
from shop.orders.states import change, claim_payment, locked
from shop.payments.bkash import Bkash
from shop.payments.credentials import (
    BkashCredentials,
    Credentials,
    NagadCredentials,
    SslcommerzCredentials,
)
from shop.payments.gateway import PATIENCE, Gateway
from shop.payments.models import Payment, PaymentStatus
from shop.payments.nagad import Nagad
from shop.payments.protocol import GatewayError, Paid, Provider, Purchase, Settled
from shop.payments.sslcommerz import Sslcommerz
from shop.problems import Problem, unavailable
from shop.settings import Settings, SettingsError

log = logging.getLogger(__name__)

ACTOR = "payments"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MOST_ATTEMPTS = 10
"""Payments begun for one order; each is a session at the gateway."""
SWEEP_SECONDS = 2.0
SWEEP_BATCH = 20
LEASE = timedelta(seconds=240)
"""No other pod asks for that long: longer than any conversation with a gateway takes."""
FIRST_CHECK = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
GIVE_UP = timedelta(hours=24)
CALLBACK_SECONDS = 20.0
"""A shopper who comes back waits so long at most; the settling goes on without them."""
OPEN = (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)
"""Money may still come in, however late."""
OVER = (Status.CANCELLED, Status.DELIVERED)
"""Orders whose money may be given back: others are cancelled first."""


class Metrics(Protocol):
    """Where outcomes are counted."""

    def payment(self, provider: str, outcome: str) -> None:
        """Count one."""
        ...


class Payments:
    """All that the shop does about payments. `start` it once, `stop` it at the end."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        metrics: Metrics,
        *,
        patience: float = PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._metrics = metrics
        self._gateway = Gateway(patience, transport)
        self.providers = _providers(settings, self._gateway)
        self._settling: dict[int, asyncio.Task[None]] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()

    async def start(self) -> None:
        """Check the credentials (SettingsError says what is wrong with them) and begin to sweep."""
        wrong = []
        for name, provider in self.providers.items():
            try:
                provider.check()
            except ValueError as error:
                wrong.append(f"SHOP_{name.upper()}_FILE: {error}")
        if wrong:
            raise SettingsError("\n".join(wrong))
        if self.providers:
            self._sweeper = asyncio.create_task(self._sweep_for_ever(), name="payments-sweeper")

    async def stop(self) -> None:
        """End the sweeper, let what talks to a gateway finish within the drain, let go of the connections."""
        if self._sweeper:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
            self._sweeper = None
        if talking := list(self._settling.values()):
            _, late = await asyncio.wait(talking, timeout=self._settings.drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._gateway.close()

    async def begin(self, number: str, phone: str, client: str) -> str:
        """Open a payment for an order; the address to send the shopper to. Problem where that can not be."""
        async with self._sessions.begin() as session:
            order = await self._payable(session, number, phone)
            attempt = order.number[:10] + "".join(secrets.choice(CROCKFORD) for _ in range(8))
            payment = Payment(
                order_number=order.number,
                provider=order.payment_method,
                reference=attempt,
                status=PaymentStatus.PENDING,
                amount_poisha=order.total_poisha,
                next_check_at=now() + FIRST_CHECK,
            )
            session.add(payment)
        purchase = Purchase(
            attempt=attempt,
            number=order.number,
            amount_poisha=order.total_poisha,
            name=order.name,
            phone=order.phone,
            address=order.address,
            district=order.district,
            client=client,
        )
        try:
            begun = await self.providers[order.payment_method].begin(purchase)
        except (GatewayError, ValueError) as error:
            await self._update(payment, status=PaymentStatus.FAILED, next_check_at=None)
            self._count(payment, "unavailable")
            log.warning("payment of %s by %s not begun: %s", number, order.payment_method, error)
            raise unavailable("unavailable", "the payment gateway can not be reached", 5) from None
        await self._update(payment, reference=begun.reference)
        self._count(payment, "begun")
        return begun.redirect_url

    async def called_back(self, provider: str, said: Mapping[str, str]) -> Order | None:
        """A callback came, from whoever. It only leads to a question to the gateway.

        The order that it is about, to lead the shopper back to; None where it names none of ours.
        """
        if provider not in self.providers:
            raise Problem(404, "not_found", "there is no such way to pay")
        reference = self.providers[provider].reference_in(said)
        if not reference or len(reference) > 128 or "\0" in reference:
            return None
        async with self._sessions() as session:
            statement = (
                select(Payment, Order)
                .join(Order, col(Order.number) == col(Payment.order_number))
                .where(col(Payment.provider) == provider, col(Payment.reference) == reference)
            )
            row = (await session.execute(statement)).one_or_none()
        if row is None:
            return None
        payment, order = row
        if payment.status in OPEN:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CALLBACK_SECONDS):
                    await asyncio.shield(self._settle_once(payment))
        return order

    async def refund(self, payment_id: int) -> None:
        """Give a paid payment back; the sweeper does it. Problem 404 or 409 where that can not be.

        Cancelling an order does this by itself; this is for what was delivered and came back.
        """
        async with self._sessions.begin() as session:
            payment = await session.get(Payment, payment_id)
            if payment is None:
                raise Problem(404, "not_found", "there is no such payment")
            order = await locked(session, payment.order_number)
            await session.refresh(payment, with_for_update=True)
            if payment.status in (PaymentStatus.REFUND_DUE, PaymentStatus.REFUNDED):
                return
            if payment.status != PaymentStatus.PAID:
                raise Problem(409, "not_allowed", f"the payment is {payment.status}, not paid")
            if order.status not in OVER:
                raise Problem(409, "not_allowed", f"the order is {order.status}: cancel it first")
            _change(payment, PaymentStatus.REFUND_DUE, now())
        self.nudge()

    def nudge(self) -> None:
        """Let the sweeper look now."""
        self._nudged.set()

    async def sweep(self) -> int:
        """Ask about what hangs and give back what is due, once; how many payments that were."""
        payments = await self._take_due()
        await asyncio.gather(*(self._settle_once(payment) for payment in payments))
        return len(payments)

    async def _payable(self, session: AsyncSession, number: str, phone: str) -> Order:
        order = await session.get(Order, number, with_for_update=True)
        if order is None or not secrets.compare_digest(_digits(order.phone), _digits(phone)):
            raise Problem(404, "unknown_order", "there is no order with this number and phone")
        if order.payment_method not in self.providers:
            raise Problem(409, "not_allowed", "this order is not paid online")
        if order.status != Status.PLACED or order.reserved_until is None or order.reserved_until <= now():
            raise Problem(409, "not_allowed", "this order does not wait for a payment")
        counted = select(func.count()).select_from(Payment).where(col(Payment.order_number) == number)
        if (await session.execute(counted)).scalar_one() >= MOST_ATTEMPTS:
            raise Problem(409, "not_allowed", "too many payments were begun for this order")
        return order

    def _settle_once(self, payment: Payment) -> asyncio.Task[None]:
        """The task that talks to the gateway about a payment; callbacks that come together share it."""
        key = _id(payment)
        if task := self._settling.get(key):
            return task
        task = asyncio.create_task(self._handle(payment), name=f"payment-{key}")
        self._settling[key] = task
        task.add_done_callback(lambda _: self._settling.pop(key, None))
        return task

    async def _handle(self, payment: Payment) -> None:
        """Talk to the gateway about it. What fails is told, and asked again when its lease is over."""
        try:
            await self._advance(payment)
        except Exception as error:
            log.warning("payment %s: %s: not stored, later", payment.reference, type(error).__name__)

    async def _advance(self, payment: Payment) -> None:
        try:
            if payment.status == PaymentStatus.REFUND_DUE:
                await self._give_back(payment)
            elif await self._settle(payment) == PaymentStatus.REFUND_DUE:
                self.nudge()
        except (GatewayError, ValueError) as error:
            log.warning("payment %s by %s: %s", payment.reference, payment.provider, error)
            self._count(payment, "unknown")
            await self._later(payment)

    async def _settle(self, payment: Payment) -> PaymentStatus | None:
        async with self._sessions() as session:
            order = await session.get(Order, payment.order_number)
        wanted = (
            order is not None
            and order.status == Status.PLACED
            and order.reserved_until is not None
            and order.reserved_until > now()
        )
        settled = await self.providers[payment.provider].settle(payment.reference, wanted=wanted)
        if settled.state == "pending":
            await self._later(payment)
            return None
        async with self._sessions.begin() as session:
            status = await _conclude(session, _id(payment), settled)
        if status:
            self._count(payment, status)
        return status

    async def _give_back(self, payment: Payment) -> None:
        paid = Paid(
            reference=payment.reference,
            transaction=payment.transaction,
            amount_poisha=payment.amount_poisha,
            order_number=payment.order_number,
            paid_at=payment.created_at,
            refund=payment.refund,
        )
        answer = await self.providers[payment.provider].refund(paid)
        if answer.state == "processing":
            await self._update(payment, refund=answer.refund)
            await self._later(payment)
            return
        async with self._sessions.begin() as session:
            await locked(session, payment.order_number)
            kept = await session.get_one(Payment, payment.id, with_for_update=True)
            if kept.status != PaymentStatus.REFUND_DUE:
                return
            kept.refund = answer.refund
            _change(kept, PaymentStatus.REFUNDED, None)
            await session.flush()
            await _close_order(session, payment.order_number)
        self._count(payment, PaymentStatus.REFUNDED)

    async def _later(self, payment: Payment) -> None:
        """Ask again after a pause that doubles; give up on a payment that nobody made for a day."""
        async with self._sessions.begin() as session:
            kept = await session.get_one(Payment, payment.id, with_for_update=True)
            if kept.status == PaymentStatus.PENDING and now() - kept.created_at > GIVE_UP:
                _change(kept, PaymentStatus.EXPIRED, None)
                self._count(payment, PaymentStatus.EXPIRED)
            elif kept.status in (PaymentStatus.PENDING, PaymentStatus.REFUND_DUE):
                kept.next_check_at = now() + min(FIRST_CHECK * 2 ** min(kept.checks, 10), LONGEST_PAUSE)

    async def _take_due(self) -> list[Payment]:
        """Payments whose time has come, taken for `LEASE`: another pod takes others."""
        async with self._sessions.begin() as session:
            statement = (
                select(Payment)
                .where(
                    col(Payment.next_check_at) <= now(),
                    col(Payment.provider).in_(list(self.providers)),
                )
                .order_by(col(Payment.next_check_at))
                .limit(SWEEP_BATCH)
                .with_for_update(skip_locked=True)
            )
            payments = list((await session.execute(statement)).scalars())
            for payment in payments:
                payment.checks += 1
                payment.next_check_at = now() + LEASE
            return payments

    async def _sweep_for_ever(self) -> None:
        while True:
            self._nudged.clear()
            try:
                full = await self.sweep() == SWEEP_BATCH
            except Exception as error:  # whatever it is, money must not be forgotten for it
                log.warning("payments are not swept now: %s", type(error).__name__)
                full = False
            if not full:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await self._nudged.wait()

    async def _update(self, payment: Payment, **values: object) -> None:
        statement = update(Payment).where(col(Payment.id) == payment.id)
        async with self._sessions.begin() as session:
            await session.execute(statement.values(updated_at=now(), **values))

    def _count(self, payment: Payment, outcome: str) -> None:
        self._metrics.payment(payment.provider, str(outcome))


async def _conclude(session: AsyncSession, payment_id: int, settled: Settled) -> PaymentStatus | None:
    """Write down what the gateway said, once. None where another has done so already."""
    number = (await session.get_one(Payment, payment_id)).order_number
    await locked(session, number)  # orders before their payments, everywhere: nobody waits in a circle
    payment = await session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.status not in OPEN:
        return None
    if settled.state == "failed":
        if payment.status != PaymentStatus.PENDING:
            return None
        _change(payment, PaymentStatus.FAILED, None)
        return PaymentStatus.FAILED
    payment.transaction = settled.transaction
    if settled.amount_poisha != payment.amount_poisha:
        log.error(
            "payment %s: paid %d poisha of %d",
            payment.reference,
            settled.amount_poisha,
            payment.amount_poisha,
        )
        payment.amount_poisha = settled.amount_poisha  # that is what there is to give back
        claim = "refund"
    elif await _is_paid(session, number):
        claim = "refund"
    else:
        claim = await claim_payment(session, number, ACTOR)
    if claim == "paid":
        _change(payment, PaymentStatus.PAID, None)
        return PaymentStatus.PAID
    _change(payment, PaymentStatus.REFUND_DUE, now())
    return PaymentStatus.REFUND_DUE


async def _is_paid(session: AsyncSession, number: str) -> bool:
    statement = select(col(Payment.id)).where(
        col(Payment.order_number) == number, col(Payment.status) == PaymentStatus.PAID
    )
    return (await session.execute(statement)).first() is not None


async def _close_order(session: AsyncSession, number: str) -> None:
    """An order that is over, and whose money is all given back, is refunded."""
    order = await session.get_one(Order, number)
    held = col(Payment.status).in_((PaymentStatus.PAID, PaymentStatus.REFUND_DUE))
    rest = select(col(Payment.id)).where(col(Payment.order_number) == number, held)
    if order.status in OVER and (await session.execute(rest)).first() is None:
        await change(session, number, Status.REFUNDED, ACTOR)


def _change(payment: Payment, status: PaymentStatus, check: datetime | None) -> None:
    payment.status = status
    payment.next_check_at = check
    payment.checks = 0
    payment.updated_at = now()


def _digits(phone: str) -> bytes:
    """A phone number as people may write it, as the last eleven digits: `+880 1712-345678`, `০১৭১২…`."""
    return "".join(each for each in latin_digits(phone) if each in "0123456789")[-11:].encode()


def _id(payment: Payment) -> int:
    if payment.id is None:
        raise ValueError("the payment is not stored")
    return payment.id


def _providers(settings: Settings, gateway: Gateway) -> dict[str, Provider]:
    """The ways to pay online that the settings name, in their order."""

    def made(name: str) -> Provider:
        callback = f"{settings.public_url}/api/v1/payments/{name}/callback"
        match name, getattr(settings, f"{name}_file"):
            case "bkash", file:
                return Bkash(Credentials(file, BkashCredentials), gateway, callback)
            case "nagad", file:
                return Nagad(Credentials(file, NagadCredentials), gateway, callback)
            case _, file:
                return Sslcommerz(Credentials(file, SslcommerzCredentials), gateway, callback)

    return {name: made(name) for name in settings.online_payments}
