"""bKash, tokenized checkout v1.2.0-beta: grant, create, the shopper approves, execute moves the money.

https://developer.bka.sh/docs
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from shop.payments.credentials import BkashCredentials, Credentials
from shop.payments.gateway import Gateway
from shop.payments.protocol import (
    Begun,
    GatewayError,
    Paid,
    Purchase,
    RefundAnswer,
    Settled,
    amount_in,
    amount_text,
    text_in,
)

CHECKOUT = "/tokenized/checkout"
FINE = "0000"
TOKEN_SECONDS = 3600
MARGIN = 300
"""Seconds before its end from which on a token is not used."""


class Bkash:
    """The `reference` is bKash's paymentID, the `transaction` its trxID."""

    def __init__(
        self,
        credentials: Credentials[BkashCredentials],
        gateway: Gateway,
        callback_url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._gateway = gateway
        self._callback_url = callback_url
        self._clock = clock
        self._token = ""
        self._token_of: BkashCredentials | None = None
        self._token_until = 0.0
        self._granting = asyncio.Lock()

    def check(self) -> None:
        """See Provider."""
        self._credentials.read()

    def reference_in(self, said: Mapping[str, str]) -> str | None:
        """See Provider."""
        return said.get("paymentID")

    async def begin(self, purchase: Purchase) -> Begun:
        """See Provider."""
        answer = await self._post(
            "/create",
            {
                "mode": "0011",
                "payerReference": purchase.phone,
                "callbackURL": self._callback_url,
                "amount": amount_text(purchase.amount_poisha),
                "currency": "BDT",
                "intent": "sale",
                "merchantInvoiceNumber": purchase.attempt,
            },
        )
        if answer.get("statusCode") != FINE:
            raise _refused("create", answer)
        return Begun(text_in(answer, "paymentID"), text_in(answer, "bkashURL", 2000))

    async def settle(self, reference: str, *, wanted: bool) -> Settled:
        """See Provider. Asks first: an execution whose answer was lost has moved the money already."""
        settled = await self._query(reference)
        if settled.state != "pending" or not wanted:
            return settled
        try:
            answer = await self._post("/execute", {"paymentID": reference})
        except GatewayError:
            return await self._query(reference)  # it may have moved the money and not said so
        if answer.get("statusCode") != FINE:
            # Not approved yet, refused, or done at this moment by another.
            return await self._query(reference)
        return _settled(answer, reference)

    async def refund(self, paid: Paid) -> RefundAnswer:
        """See Provider."""
        named = {"paymentID": paid.reference, "trxID": paid.transaction}
        before = await self._post("/payment/refund", named, repeatable=True)
        if before.get("refundTrxID"):
            return _refunded(before)
        answer = await self._post(
            "/payment/refund",
            {
                **named,
                "amount": amount_text(paid.amount_poisha),
                "sku": paid.order_number,
                "reason": "The order was cancelled",
            },
        )
        if answer.get("statusCode") != FINE:
            raise _refused("refund", answer)
        return _refunded(answer)

    async def _query(self, reference: str) -> Settled:
        answer = await self._post("/payment/status", {"paymentID": reference}, repeatable=True)
        if answer.get("statusCode") != FINE:
            raise _refused("query", answer)
        return _settled(answer, reference)

    async def _post(self, path: str, body: dict[str, str], *, repeatable: bool = False) -> dict[str, Any]:
        keys = self._credentials.read()
        for again in (True, False):
            token = await self._granted(keys)
            answer = await self._gateway.ask(
                "POST",
                f"{keys.base_url}{CHECKOUT}{path}",
                json=body,
                headers={"Authorization": token, "X-APP-Key": keys.app_key},
                repeatable=repeatable,
            )
            if again and answer.get("message") in ("Unauthorized", "The incoming token has expired"):
                self._token_until = 0.0  # refused before anything was done
                continue
            break
        return answer

    async def _granted(self, keys: BkashCredentials) -> str:
        """The token in force: one for an hour, as bKash limits how often it grants."""
        async with self._granting:
            if self._clock() >= self._token_until or self._token_of != keys:
                answer = await self._gateway.ask(
                    "POST",
                    f"{keys.base_url}{CHECKOUT}/token/grant",
                    json={"app_key": keys.app_key, "app_secret": keys.app_secret},
                    headers={"username": keys.username, "password": keys.password},
                    repeatable=True,
                )
                self._token = text_in(answer, "id_token", 8192)
                lasts = answer.get("expires_in")
                seconds = lasts if isinstance(lasts, int) and 0 < lasts < 86_400 else TOKEN_SECONDS
                self._token_until = self._clock() + max(seconds - MARGIN, seconds / 2)
                self._token_of = keys
            return self._token


def _settled(answer: Mapping[str, Any], reference: str) -> Settled:
    if answer.get("paymentID") != reference or answer.get("currency", "BDT") != "BDT":
        raise GatewayError("the answer is of another payment")
    match answer.get("transactionStatus"):
        case "Completed":
            return Settled("paid", text_in(answer, "trxID"), amount_in(answer))
        case "Failed" | "Cancelled" | "Expired" | "Declined":
            return Settled("failed")
    return Settled("pending")


def _refunded(answer: Mapping[str, Any]) -> RefundAnswer:
    done = answer.get("transactionStatus") == "Completed"
    return RefundAnswer("refunded" if done else "processing", text_in(answer, "refundTrxID"))


def _refused(what: str, answer: Mapping[str, Any]) -> GatewayError:
    said = answer.get("statusCode") or answer.get("errorCode") or answer.get("message")
    return GatewayError(f"{what} is refused: {str(said)[:100]}")
