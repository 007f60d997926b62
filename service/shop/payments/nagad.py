"""Nagad's online payment API: initialize and complete open a payment, verify tells how it stands.

What is sensitive is encrypted for Nagad with RSA (PKCS #1 v1.5, as the API demands) and signed by the
merchant (SHA-256); answers come the other way around.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from shop.payments.credentials import Credentials, NagadCredentials
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

API = "/api/dfs"
VERSION = "v-0.2.0"
DHAKA = timezone(timedelta(hours=6))
TAKA = "050"
"""ISO 4217's number of the taka."""
FAILED = ("Failed", "Cancelled", "Aborted", "InvalidRequest", "Fraud", "UnKnownFailed")


class Keys(NamedTuple):
    """Nagad's key encrypts and verifies, the merchant's decrypts and signs."""

    gateway: RSAPublicKey
    merchant: RSAPrivateKey

    def seal(self, data: Mapping[str, str]) -> tuple[str, str]:
        """`data` encrypted, and its signature."""
        plain = msgspec.json.encode(data)
        sealed = self.gateway.encrypt(plain, PKCS1v15())
        signature = self.merchant.sign(plain, PKCS1v15(), SHA256())
        return base64.b64encode(sealed).decode(), base64.b64encode(signature).decode()

    def open(self, sealed: str, signature: str) -> dict[str, Any]:
        """What the other side sealed. GatewayError if it was not the other side."""
        try:
            plain = self.merchant.decrypt(base64.b64decode(sealed, validate=True), PKCS1v15())
            self.gateway.verify(base64.b64decode(signature, validate=True), plain, PKCS1v15(), SHA256())
            return msgspec.json.decode(plain, type=dict[str, Any])
        except (InvalidSignature, ValueError, binascii.Error, msgspec.DecodeError):
            raise GatewayError("the answer is not sealed by the gateway") from None


class Nagad:
    """The `reference` is Nagad's payment_ref_id, the `transaction` its issuerPaymentRefNo."""

    def __init__(
        self, credentials: Credentials[NagadCredentials], gateway: Gateway, callback_url: str
    ) -> None:
        self._credentials = credentials
        self._gateway = gateway
        self._callback_url = callback_url
        self._keys: tuple[NagadCredentials, Keys] | None = None

    def check(self) -> None:
        """See Provider."""
        self._read()

    def reference_in(self, said: Mapping[str, str]) -> str | None:
        """See Provider."""
        return said.get("payment_ref_id")

    async def begin(self, purchase: Purchase) -> Begun:
        """See Provider."""
        merchant, keys = self._read()
        now = datetime.now(UTC).astimezone(DHAKA).strftime("%Y%m%d%H%M%S")
        sealed, signature = keys.seal(
            {
                "merchantId": merchant.merchant_id,
                "datetime": now,
                "orderId": purchase.attempt,
                "challenge": secrets.token_hex(20),
            }
        )
        first = await self._gateway.ask(
            "POST",
            f"{merchant.base_url}{API}/check-out/initialize/{merchant.merchant_id}/{purchase.attempt}",
            json={
                "accountNumber": merchant.merchant_number,
                "dateTime": now,
                "sensitiveData": sealed,
                "signature": signature,
            },
            headers=_headers(purchase.client),
        )
        if "sensitiveData" not in first:
            raise _refused("initialize", first)
        opened = keys.open(text_in(first, "sensitiveData", 4096), text_in(first, "signature", 4096))
        reference = text_in(opened, "paymentReferenceId")
        sealed, signature = keys.seal(
            {
                "merchantId": merchant.merchant_id,
                "orderId": purchase.attempt,
                "amount": amount_text(purchase.amount_poisha),
                "currencyCode": TAKA,
                "challenge": text_in(opened, "challenge"),
            }
        )
        second = await self._gateway.ask(
            "POST",
            f"{merchant.base_url}{API}/check-out/complete/{_segment(reference)}",
            json={
                "paymentRefId": reference,
                "sensitiveData": sealed,
                "signature": signature,
                "merchantCallbackURL": self._callback_url,
                "additionalMerchantInfo": {},
            },
            headers=_headers(purchase.client),
        )
        if second.get("status") != "Success":
            raise _refused("complete", second)
        return Begun(reference, text_in(second, "callBackUrl", 2000))

    async def settle(self, reference: str, *, wanted: bool) -> Settled:  # noqa: ARG002 -- the shopper pays at once
        """See Provider."""
        answer = await self._verify(reference)
        status = answer.get("status")
        if status == "Success" or (status == "Cancelled" and answer.get("cancelIssuerRefNo")):
            return Settled("paid", text_in(answer, "issuerPaymentRefNo"), amount_in(answer))
        return Settled("failed" if status in FAILED else "pending")

    async def refund(self, paid: Paid) -> RefundAnswer:
        """See Provider. Whether it is done is what `verify` says, before and after."""
        merchant, keys = self._read()
        before = await self._verify(paid.reference)
        if done := _cancelled(before):
            return done
        order = text_in(before, "orderId")
        amount = amount_text(paid.amount_poisha)
        sealed, signature = keys.seal(
            {
                "merchantId": merchant.merchant_id,
                "originalRequestDate": paid.paid_at.astimezone(DHAKA).strftime("%Y%m%d"),
                "orderId": order,
                "originalAmount": amount,
                "cancelAmount": amount,
                "referenceNo": paid.order_number,
                "referenceMessage": "cancelled",
            }
        )
        answer = await self._gateway.ask(
            "POST",
            f"{merchant.base_url}{API}/purchase/cancel",
            params={"paymentRefId": paid.reference, "orderId": order},
            json={"sensitiveDataCancelRequest": sealed, "signature": signature},
            headers=_headers("0.0.0.0"),  # noqa: S104 -- no shopper asks for it
        )
        if "sensitiveData" not in answer:
            raise _refused("cancel", answer)
        keys.open(text_in(answer, "sensitiveData", 4096), text_in(answer, "signature", 4096))
        return _cancelled(await self._verify(paid.reference)) or RefundAnswer("processing", "")

    async def _verify(self, reference: str) -> dict[str, Any]:
        merchant, _ = self._read()
        answer = await self._gateway.ask(
            "GET",
            f"{merchant.base_url}{API}/verify/payment/{_segment(reference)}",
            headers=_headers("0.0.0.0"),  # noqa: S104 -- no shopper asks for it
            repeatable=True,
        )
        if "status" not in answer:
            raise _refused("verify", answer)
        if answer.get("paymentRefId") != reference or answer.get("merchantId") != merchant.merchant_id:
            raise GatewayError("the answer is of another payment")
        return answer

    def _read(self) -> tuple[NagadCredentials, Keys]:
        merchant = self._credentials.read()
        if self._keys is None or self._keys[0] != merchant:
            self._keys = (merchant, _load(merchant))
        return self._keys


def _load(merchant: NagadCredentials) -> Keys:
    try:
        public = load_der_public_key(_der(merchant.gateway_public_key))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("nagad: gateway_public_key is no public key, PEM or base64") from None
    try:
        private = load_der_private_key(_der(merchant.merchant_private_key), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("nagad: merchant_private_key is no private key, PEM or base64") from None
    if not isinstance(public, RSAPublicKey) or not isinstance(private, RSAPrivateKey):
        raise ValueError("nagad: both keys must be RSA keys")  # noqa: TRY004 -- it is the file's content
    return Keys(public, private)


def _der(text: str) -> bytes:
    lines = (line.strip() for line in text.splitlines())
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")), validate=True)


def _headers(client: str) -> dict[str, str]:
    return {"X-KM-Api-Version": VERSION, "X-KM-IP-V4": client, "X-KM-Client-Type": "MOBILE_WEB"}


def _segment(reference: str) -> str:
    """A reference as part of a path. It was stored from an answer of the gateway's, but all the same."""
    if not reference.isascii() or not reference.replace("-", "").replace("_", "").isalnum():
        raise GatewayError("the reference is not one of Nagad's")
    return reference


def _cancelled(answer: Mapping[str, Any]) -> RefundAnswer | None:
    refund = answer.get("cancelIssuerRefNo")
    return RefundAnswer("refunded", str(refund)[:128]) if refund else None


def _refused(what: str, answer: Mapping[str, Any]) -> GatewayError:
    said = answer.get("reason") or answer.get("message") or answer.get("status")
    return GatewayError(f"{what} is refused: {str(said)[:100]}")
