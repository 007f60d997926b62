"""A gateway that plays bKash, Nagad and SSLCommerz, for tests and the laptop, and misbehaves on command.

    python -m shop.payments.fake --port 9100 --write FOLDER

writes credentials for the shop's three `SHOP_…_FILE` to FOLDER. A payment's page offers to pay or to cancel.
`POST /control/{operation}/{fault}?times=N` makes the next N of an operation go wrong (`FAULTS`).
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import click
import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from shop.payments.nagad import Keys

FAULTS = ("error", "garbage", "large", "redirect", "slow", "lost", "foreign", "wrong_amount", "refused")
"""Answers: a 500, no JSON, a megabyte, a redirect, after a while; done, but no answer comes; of another
payment; with another amount; a refusal in words."""
BASES = {"bkash": "/bkash/v1.2.0-beta", "nagad": "/nagad", "sslcommerz": "/sslcommerz"}
CALLBACKS = ("as_it_is", "duplicate", "forged", "late")
"""How a payment's end is told: once; five times at once; as paid though it was cancelled; only when asked."""
MERCHANT = "683002007104225"
HANG_SECONDS = 3600.0

Answer = dict[str, Any]


@dataclass(slots=True)
class Money:
    """A payment as the gateway knows it."""

    provider: str
    reference: str
    invoice: str
    amount: str
    callback: str
    notify: str = ""
    state: Literal["open", "approved", "paid", "cancelled"] = "open"
    transaction: str = ""
    refund: str = ""
    refund_state: str = ""
    refunds: int = 0
    moved: int = 0

    def move(self) -> None:
        """Take the shopper's money."""
        if self.state != "paid":
            self.state = "paid"
            self.transaction = secrets.token_hex(5).upper()
            self.moved += 1

    def give_back(self) -> None:
        """Refund in full, once."""
        if not self.refund:
            self.refund = secrets.token_hex(5).upper()
            self.refunds += 1


@dataclass
class Gateways:
    """All three, with what they know and what they will do wrong."""

    slow_seconds: float = 5.0
    payments: dict[str, Money] = field(default_factory=dict)
    faults: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tokens: set[str] = field(default_factory=set)
    telling: str = "as_it_is"
    refunds_take_time: bool = False
    gateway_key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    merchant_key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    secret: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def nagad(self) -> Keys:
        """The keys as Nagad holds them: its own private one and the merchant's public one."""
        return Keys(self.merchant_key.public_key(), self.gateway_key)

    def credentials(self, provider: str, origin: str) -> dict[str, str]:
        """What the shop's file of a provider holds for this gateway at `origin`."""
        base = {"base_url": origin + BASES[provider]}
        match provider:
            case "bkash":
                names = ("app_key", "app_secret", "username", "password")
                return base | {name: f"{name}-{self.secret}" for name in names}
            case "nagad":
                return base | {
                    "merchant_id": MERCHANT,
                    "merchant_number": "01700000000",
                    "gateway_public_key": base64.b64encode(
                        self.gateway_key.public_key().public_bytes(
                            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
                        )
                    ).decode(),
                    "merchant_private_key": self.merchant_key.private_bytes(
                        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                    ).decode(),
                }
        return base | {"store_id": "dhakacart", "store_password": f"password-{self.secret}"}

    def misbehave(self, operation: str, *faults: str) -> None:
        """Let the next calls of an operation go wrong, in this order."""
        self.faults[operation].extend(faults)

    async def answer(self, operation: str, make: Callable[[], Answer]) -> Response[Any]:
        """What `make` does and says, unless something is to go wrong."""
        self.calls[operation] += 1
        planned = self.faults[operation]
        fault = planned.popleft() if planned else ""
        match fault:
            case "error":
                return Response({"message": "Internal server error"}, status_code=500)
            case "garbage":
                return Response("<html>maintenance</html>", status_code=200, media_type=MediaType.HTML)
            case "large":
                return Response("{" + " " * 1_000_000 + "}", status_code=200, media_type=MediaType.JSON)
            case "redirect":
                return Response(None, status_code=302, headers={"Location": "http://127.0.0.1:1/"})
            case "refused":
                words = {"statusCode": "9999", "status": "FAILED", "reason": "no", "APIConnect": "FAILED"}
                return Response(words, status_code=200)
            case "slow":
                await asyncio.sleep(self.slow_seconds)
        said = make()
        match fault:
            case "lost":
                await asyncio.sleep(HANG_SECONDS)
            case "foreign":
                said |= {
                    key: "SOMEONE-ELSES" for key in ("paymentID", "paymentRefId", "tran_id") if key in said
                }
            case "wrong_amount":
                said["amount"] = "1.00"
        return Response(said, status_code=200)

    def open(self, provider: str, reference: str, invoice: str, form: Mapping[str, str]) -> Money:
        """Remember a new payment."""
        money = Money(provider, reference, invoice, form["amount"], form["callback"], form.get("notify", ""))
        self.payments[reference] = money
        return money


def create_app(
    gateways: Gateways, tell: Callable[[str, dict[str, str]], Awaitable[None]] | None = None
) -> Litestar:
    """The fake as an ASGI app. `tell` posts a form to the shop, for notifications; by default over HTTP."""
    notify = tell or _post
    return Litestar(
        [*_bkash(gateways), *_nagad(gateways), *_sslcommerz(gateways), *_shopper(gateways, notify)],
        openapi_config=None,
    )


def end_of(money: Money, success: bool) -> dict[str, str]:
    """The fields with which a provider sends the shopper back."""
    match money.provider:
        case "bkash":
            return {"paymentID": money.reference, "status": "success" if success else "cancel"}
        case "nagad":
            return {
                "merchant": MERCHANT,
                "order_id": money.invoice,
                "payment_ref_id": money.reference,
                "status": "Success" if success else "Aborted",
            }
    return {
        "tran_id": money.reference,
        "val_id": f"V{money.reference}",
        "amount": money.amount,
        "status": "VALID" if success else "CANCELLED",
    }


def _bkash(gateways: Gateways) -> list[Any]:  # noqa: C901 -- a row of small handlers
    base = BASES["bkash"] + "/tokenized/checkout"

    def secret(request: Request[Any, Any, Any]) -> bool:
        known = request.headers.get("Authorization") in gateways.tokens
        return known and request.headers.get("X-APP-Key") == f"app_key-{gateways.secret}"

    async def act(request: Request[Any, Any, Any], operation: str, do: Callable[[Answer], Answer]) -> Any:
        if not secret(request):
            return Response({"message": "Unauthorized"}, status_code=401)
        body = await request.json()
        return await gateways.answer(operation, lambda: do(body))

    @post(base + "/token/grant", status_code=200)
    async def grant(request: Request[Any, Any, Any]) -> Response[Any]:
        body = await request.json()
        given = {**body, **{name: request.headers.get(name) for name in ("username", "password")}}
        if any(given.get(name) != f"{name}-{gateways.secret}" for name in ("app_secret", "password")):
            return Response({"statusCode": "9999", "statusMessage": "System Error"}, status_code=200)

        def make() -> Answer:
            token = secrets.token_urlsafe(24)
            gateways.tokens.add(token)
            return {"statusCode": "0000", "id_token": token, "token_type": "Bearer", "expires_in": 3600}

        return await gateways.answer("bkash.grant", make)

    @post(base + "/create", status_code=200)
    async def create(request: Request[Any, Any, Any]) -> Response[Any]:
        def do(body: Answer) -> Answer:
            form = {"amount": body["amount"], "callback": body["callbackURL"]}
            reference = f"TR0011{secrets.token_hex(7)}"
            money = gateways.open("bkash", reference, body["merchantInvoiceNumber"], form)
            page = f"{_origin(request)}/pay/{reference}"
            return {**_bkash_said(money), "bkashURL": page, "transactionStatus": "Initiated"}

        return await act(request, "bkash.create", do)  # type: ignore[no-any-return]

    @post(base + "/execute", status_code=200)
    async def execute(request: Request[Any, Any, Any]) -> Response[Any]:
        def do(body: Answer) -> Answer:
            money = gateways.payments.get(body["paymentID"])
            if money is None or money.state in ("open", "cancelled"):
                return {"statusCode": "2056", "statusMessage": "Invalid Payment State"}
            if money.state == "paid":
                return {"statusCode": "2062", "statusMessage": "The payment has already been completed"}
            money.move()
            return _bkash_said(money)

        return await act(request, "bkash.execute", do)  # type: ignore[no-any-return]

    @post(base + "/payment/status", status_code=200)
    async def status(request: Request[Any, Any, Any]) -> Response[Any]:
        def do(body: Answer) -> Answer:
            money = gateways.payments.get(body["paymentID"])
            return (
                _bkash_said(money) if money else {"statusCode": "2002", "statusMessage": "Invalid Payment ID"}
            )

        return await act(request, "bkash.status", do)  # type: ignore[no-any-return]

    @post(base + "/payment/refund", status_code=200)
    async def refund(request: Request[Any, Any, Any]) -> Response[Any]:
        def do(body: Answer) -> Answer:
            money = gateways.payments[body["paymentID"]]
            if "amount" in body and money.transaction == body["trxID"]:
                money.give_back()
            if not money.refund:
                return {"statusCode": "2071", "statusMessage": "No refund found"}
            return {
                "statusCode": "0000",
                "originalTrxID": money.transaction,
                "refundTrxID": money.refund,
                "transactionStatus": "Completed",
                "amount": money.amount,
            }

        asks = "amount" not in await request.json()
        return await act(request, f"bkash.refund{'_status' if asks else ''}", do)  # type: ignore[no-any-return]

    return [grant, create, execute, status, refund]


def _bkash_said(money: Money) -> Answer:
    done = {"trxID": money.transaction} if money.state == "paid" else {}
    return {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "paymentID": money.reference,
        "amount": money.amount,
        "currency": "BDT",
        "intent": "sale",
        "merchantInvoiceNumber": money.invoice,
        "transactionStatus": "Completed" if done else "Initiated",
        **done,
    }


def _nagad(gateways: Gateways) -> list[Any]:  # noqa: C901 -- a row of small handlers
    base = BASES["nagad"] + "/api/dfs"

    async def unsealed(request: Request[Any, Any, Any], key: str = "sensitiveData") -> tuple[Answer, Answer]:
        body = await request.json()
        return body, gateways.nagad.open(body[key], body["signature"])

    def sealed(data: dict[str, str]) -> Answer:
        text, signature = gateways.nagad.seal(data)
        return {"sensitiveData": text, "signature": signature}

    @post(base + "/check-out/initialize/{merchant:str}/{order:str}", status_code=200)
    async def initialize(
        request: Request[Any, Any, Any], merchant: FromPath[str], order: FromPath[str]
    ) -> Response[Any]:
        _, data = await unsealed(request)

        def make() -> Answer:
            if (merchant, order) != (data["merchantId"], data["orderId"]) or merchant != MERCHANT:
                return {"reason": "INVALID_MERCHANT", "message": "Merchant is not valid"}
            reference = f"MTEw{secrets.token_hex(10)}"
            gateways.open("nagad", reference, order, {"amount": "", "callback": ""})
            return sealed({"paymentReferenceId": reference, "challenge": secrets.token_hex(20)})

        return await gateways.answer("nagad.initialize", make)

    @post(base + "/check-out/complete/{reference:str}", status_code=200)
    async def complete(request: Request[Any, Any, Any], reference: FromPath[str]) -> Response[Any]:
        body, data = await unsealed(request)

        def make() -> Answer:
            money = gateways.payments[reference]
            money.amount, money.callback = data["amount"], body["merchantCallbackURL"]
            return {"callBackUrl": f"{_origin(request)}/pay/{reference}", "status": "Success"}

        return await gateways.answer("nagad.complete", make)

    @get(base + "/verify/payment/{reference:str}")
    async def verify(reference: FromPath[str]) -> Response[Any]:
        def make() -> Answer:
            money = gateways.payments.get(reference)
            if money is None:
                return {"reason": "NOT_FOUND", "message": "Payment reference is not found"}
            words = {"open": "Ready", "approved": "InProgress", "paid": "Success", "cancelled": "Aborted"}
            refunded = {"cancelIssuerRefNo": money.refund, "status": "Cancelled"} if money.refund else {}
            return {
                "merchantId": MERCHANT,
                "orderId": money.invoice,
                "paymentRefId": reference,
                "amount": money.amount,
                "issuerPaymentRefNo": money.transaction,
                "statusCode": "000",
                "status": words[money.state],
                **refunded,
            }

        return await gateways.answer("nagad.verify", make)

    @post(base + "/purchase/cancel", status_code=200)
    async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
        _, data = await unsealed(request, "sensitiveDataCancelRequest")

        def make() -> Answer:
            money = gateways.payments[request.query_params["paymentRefId"]]
            if data["originalAmount"] != money.amount or data["orderId"] != money.invoice:
                return {"reason": "INVALID", "message": "Not that payment"}
            money.give_back()
            return sealed({"orderId": money.invoice, "status": "Success"})

        return await gateways.answer("nagad.cancel", make)

    return [initialize, complete, verify, cancel]


def _sslcommerz(gateways: Gateways) -> list[Any]:  # noqa: C901 -- a row of small handlers
    base = BASES["sslcommerz"]

    def belongs(given: Mapping[str, str]) -> bool:
        return given.get("store_passwd") == f"password-{gateways.secret}"

    @post(base + "/gwprocess/v4/api.php", status_code=200)
    async def session(request: Request[Any, Any, Any]) -> Response[Any]:
        form = dict(parse_qsl((await request.body()).decode()))
        if not belongs(form):
            return Response({"status": "FAILED", "failedreason": "Store Credential Error"}, status_code=200)

        def make() -> Answer:
            reference = form["tran_id"]
            told = {
                "amount": form["total_amount"],
                "callback": form["success_url"],
                "notify": form["ipn_url"],
            }
            gateways.open("sslcommerz", reference, reference, told)
            page = f"{_origin(request)}/pay/{reference}"
            return {"status": "SUCCESS", "sessionkey": secrets.token_hex(16), "GatewayPageURL": page}

        return await gateways.answer("sslcommerz.session", make)

    @get(base + "/validator/api/validationserverAPI.php")
    async def validation(request: Request[Any, Any, Any]) -> Response[Any]:
        query = dict(request.query_params)

        def make() -> Answer:
            money = gateways.payments.get(query.get("val_id", "")[1:])
            if not belongs(query) or money is None or money.state != "paid":
                return {"status": "INVALID_TRANSACTION", "APIConnect": "DONE"}
            return {
                "APIConnect": "DONE",
                "currency_type": "BDT",
                "risk_level": "0",
                **_sslcommerz_said(money),
            }

        return await gateways.answer("sslcommerz.validation", make)

    @get(base + "/validator/api/merchantTransIDvalidationAPI.php")
    async def transactions(request: Request[Any, Any, Any]) -> Response[Any]:
        query = dict(request.query_params)
        if not belongs(query):
            return Response({"APIConnect": "INVALID_REQUEST"}, status_code=200)
        if "refund_ref_id" in query:
            return await gateways.answer("sslcommerz.refund_status", lambda: refund_state(query))
        if "refund_amount" in query:
            return await gateways.answer("sslcommerz.refund", lambda: refund(query))

        def make() -> Answer:
            money = gateways.payments.get(query["tran_id"])
            tries = [_sslcommerz_said(money)] if money and money.state != "open" else []
            return {"APIConnect": "DONE", "no_of_trans_found": len(tries), "element": tries}

        return await gateways.answer("sslcommerz.transactions", make)

    def refund(query: Mapping[str, str]) -> Answer:
        money = gateways.payments[query["refe_id"]]
        if money.transaction != query["bank_tran_id"] or money.refund:
            return {"APIConnect": "DONE", "status": "failed", "errorReason": "not refundable"}
        money.give_back()
        return {"APIConnect": "DONE", "status": "processing", "refund_ref_id": money.refund}

    def refund_state(query: Mapping[str, str]) -> Answer:
        known = any(each.refund == query["refund_ref_id"] for each in gateways.payments.values())
        done = known and not gateways.refunds_take_time
        return {"APIConnect": "DONE", "status": "refunded" if done else "processing"}

    return [session, validation, transactions]


def _sslcommerz_said(money: Money) -> Answer:
    return {
        "status": {"paid": "VALID", "cancelled": "CANCELLED"}.get(money.state, "PENDING"),
        "tran_id": money.reference,
        "val_id": f"V{money.reference}",
        "amount": money.amount,
        "bank_tran_id": money.transaction,
    }


def _shopper(gateways: Gateways, notify: Callable[[str, dict[str, str]], Awaitable[None]]) -> list[Any]:
    """The pages that a shopper sees, and the gateway's word to the shop."""

    @get("/pay/{reference:str}", media_type=MediaType.HTML)
    async def page(reference: FromPath[str]) -> Response[str]:
        money = gateways.payments.get(reference)
        if money is None:
            return Response("There is no such payment", status_code=404)
        return Response(
            f"<!doctype html><html lang=en><meta name=viewport content='width=device-width'>"
            f"<link rel=icon href='data:,'>"
            f"<title>Test gateway</title><h1>{escape(money.provider)}, a test</h1>"
            f"<p>৳{escape(money.amount)} for {escape(money.invoice)}. No money moves.</p><form method=post>"
            f"<button formaction='/pay/{escape(reference)}/approve'>Pay</button> "
            f"<button formaction='/pay/{escape(reference)}/cancel'>Cancel</button></form></html>",
            media_type=MediaType.HTML,
        )

    @post("/pay/{reference:str}/{choice:str}")
    async def choose(reference: FromPath[str], choice: FromPath[str]) -> Response[Any]:
        money = gateways.payments.get(reference)
        if money is None or choice not in ("approve", "cancel"):
            return Response("There is no such payment", status_code=404)
        decide(money, choice == "approve")
        fields = end_of(money, choice == "approve" or gateways.telling == "forged")
        if money.notify and gateways.telling != "late":
            times = 5 if gateways.telling == "duplicate" else 1
            await asyncio.gather(*(notify(money.notify, fields) for _ in range(times)))
        return Redirect(f"{money.callback}?{urlencode(fields)}", status_code=303)

    @post("/control/{operation:str}/{fault:str}", status_code=204)
    async def control(
        request: Request[Any, Any, Any], operation: FromPath[str], fault: FromPath[str]
    ) -> None:
        if operation == "callbacks" and fault in CALLBACKS:
            gateways.telling = fault
        elif fault in FAULTS:
            gateways.misbehave(operation, *[fault] * min(int(request.query_params.get("times", "1")), 1000))

    return [page, choose, control]


def decide(money: Money, approve: bool) -> None:
    """What the shopper does. bKash only moves money when the shop executes; the others at once."""
    if money.state not in ("open", "approved"):
        return
    if not approve:
        money.state = "cancelled"
    elif money.provider == "bkash":
        money.state = "approved"
    else:
        money.move()


def _origin(request: Request[Any, Any, Any]) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _post(url: str, fields: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await client.post(url, data=fields)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=9100, show_default=True)
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Folder for the credentials.")
def main(port: int, write: Path | None) -> None:
    """Play the gateways of bKash, Nagad and SSLCommerz on 127.0.0.1 until interrupted."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    gateways = Gateways()
    if write:
        write.mkdir(parents=True, exist_ok=True)
        for provider in BASES:
            credentials = gateways.credentials(provider, f"http://127.0.0.1:{port}")
            (write / f"{provider}.json").write_bytes(msgspec.json.encode(credentials))
    click.echo(f"http://127.0.0.1:{port}")
    server = Server(
        create_app(gateways), address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    with asyncio.Runner() as runner:
        runner.run(server.serve())


if __name__ == "__main__":
    main()
