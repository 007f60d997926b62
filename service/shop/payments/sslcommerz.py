"""SSLCommerz, API version 4: a session, the hosted page, a notification, and the validation that counts.

https://developer.sslcommerz.com/doc/v4/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shop.payments.credentials import Credentials, SslcommerzCredentials
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

SESSION = "/gwprocess/v4/api.php"
VALIDATION = "/validator/api/validationserverAPI.php"
TRANSACTIONS = "/validator/api/merchantTransIDvalidationAPI.php"
VALID = ("VALID", "VALIDATED")
OVER = ("FAILED", "CANCELLED", "EXPIRED")


class Sslcommerz:
    """The `reference` is the shop's own transaction id; the `transaction` is the bank's, for refunds."""

    def __init__(
        self, credentials: Credentials[SslcommerzCredentials], gateway: Gateway, callback_url: str
    ) -> None:
        self._credentials = credentials
        self._gateway = gateway
        self._callback_url = callback_url

    def check(self) -> None:
        """See Provider."""
        self._credentials.read()

    def reference_in(self, said: Mapping[str, str]) -> str | None:
        """See Provider."""
        return said.get("tran_id")

    async def begin(self, purchase: Purchase) -> Begun:
        """See Provider."""
        store = self._credentials.read()
        form = {
            "store_id": store.store_id,
            "store_passwd": store.store_password,
            "total_amount": amount_text(purchase.amount_poisha),
            "currency": "BDT",
            "tran_id": purchase.attempt,
            "success_url": self._callback_url,
            "fail_url": self._callback_url,
            "cancel_url": self._callback_url,
            "ipn_url": f"{self._callback_url}?ipn=1",
            "emi_option": "0",
            "cus_name": purchase.name[:50],
            # The gateway demands an address; the shop knows none of a shopper, and mails nobody.
            "cus_email": f"orders@{urlsplit(self._callback_url).hostname}"[:50],
            "cus_phone": purchase.phone,
            "cus_add1": purchase.address[:50],
            "cus_city": purchase.district[:50],
            "cus_postcode": "1000",
            "cus_country": "Bangladesh",
            "shipping_method": "NO",
            "product_name": f"Order {purchase.number}",
            "product_category": "General",
            "product_profile": "physical-goods",
        }
        answer = await self._gateway.ask("POST", store.base_url + SESSION, data=form)
        if answer.get("status") != "SUCCESS":
            raise GatewayError(f"no session: {str(answer.get('failedreason'))[:200]}")
        return Begun(purchase.attempt, text_in(answer, "GatewayPageURL", 2000))

    async def settle(self, reference: str, *, wanted: bool) -> Settled:  # noqa: ARG002 -- the shopper pays at once
        """See Provider. Of several tries under one id, one that is valid counts."""
        tries = (await self._transactions(tran_id=reference)).get("element") or []
        if not isinstance(tries, list) or not all(isinstance(each, dict) for each in tries):
            raise GatewayError("the answer's `element` is no list of transactions")
        for each in tries:
            if each.get("status") in VALID:
                return await self._validated(text_in(each, "val_id"), reference)
        if tries and all(each.get("status") in OVER for each in tries):
            return Settled("failed")
        return Settled("pending")

    async def refund(self, paid: Paid) -> RefundAnswer:
        """See Provider. The same `refund_trans_id` can not be used twice."""
        if paid.refund:
            return await self._refund_state(paid.refund)
        answer = await self._transactions(
            bank_tran_id=paid.transaction,
            refund_trans_id=f"R{paid.reference}"[:30],
            refund_amount=amount_text(paid.amount_poisha),
            refund_remarks=f"Order {paid.order_number} was cancelled",
            refe_id=paid.reference,
        )
        if answer.get("status") not in ("success", "processing"):
            raise GatewayError(f"no refund: {str(answer.get('errorReason'))[:200]}")
        # Accepted is not yet given back: that is asked for by the name of the refund.
        return RefundAnswer("processing", text_in(answer, "refund_ref_id"))

    async def _refund_state(self, refund: str) -> RefundAnswer:
        answer = await self._transactions(refund_ref_id=refund)
        if answer.get("status") == "refunded":
            return RefundAnswer("refunded", refund)
        if answer.get("status") == "processing":
            return RefundAnswer("processing", refund)
        raise GatewayError(f"the refund is {str(answer.get('status'))[:20]}")

    async def _validated(self, val_id: str, reference: str) -> Settled:
        answer = await self._get(VALIDATION, val_id=val_id, v="1")
        if answer.get("status") not in VALID:
            return Settled("pending")
        if answer.get("tran_id") != reference or answer.get("currency_type", "BDT") != "BDT":
            raise GatewayError("the validation is of another payment")
        return Settled("paid", text_in(answer, "bank_tran_id"), amount_in(answer))

    async def _transactions(self, **query: str) -> dict[str, Any]:
        return await self._get(TRANSACTIONS, **query)

    async def _get(self, path: str, **query: str) -> dict[str, Any]:
        store = self._credentials.read()
        query |= {"store_id": store.store_id, "store_passwd": store.store_password, "format": "json"}
        asks = "refund_amount" not in query
        answer = await self._gateway.ask("GET", store.base_url + path, params=query, repeatable=asks)
        if answer.get("APIConnect") != "DONE":
            raise GatewayError(f"APIConnect is {str(answer.get('APIConnect'))[:40]}")
        return answer
