"""What the shop asks of a provider of payments, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Protocol

from shop.money import MOST, POISHA_PER_TAKA

State = Literal["paid", "failed", "pending"]
Refund = Literal["refunded", "processing"]


class GatewayError(Exception):
    """The gateway did not answer, or not in a way that can be believed: nothing is known."""


class GatewayUnreachableError(GatewayError):
    """No connection, or a failure of the gateway's: the same question may be asked again."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order to pay. `attempt` is 18 letters and digits, new for each try: providers want it unique."""

    attempt: str
    number: str
    amount_poisha: int
    name: str
    phone: str
    address: str
    district: str
    client: str
    """The shopper's IPv4 address, or `0.0.0.0`."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment that waits for the shopper at `redirect_url`; `reference` is the provider's name for it."""

    reference: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What the gateway says of a payment. Of a paid one, `transaction` is the money's name."""

    state: State
    transaction: str = ""
    amount_poisha: int = 0


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment to give back in full. `refund` is the provider's name of an earlier try, or empty."""

    reference: str
    transaction: str
    amount_poisha: int
    order_number: str
    paid_at: datetime
    refund: str = ""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """How far a refund is; `refund` is the provider's name for it."""

    state: Refund
    refund: str


class Provider(Protocol):
    """A way to pay online. All that asks may raise GatewayError: nothing is known, it is safe to repeat."""

    def check(self) -> None:
        """Nothing, or ValueError that says what is wrong with the credentials, without telling them."""
        ...

    def reference_in(self, said: Mapping[str, str]) -> str | None:
        """The reference that a callback names; anybody could have sent it."""
        ...

    async def begin(self, purchase: Purchase) -> Begun:
        """Open a payment. No money moves before the shopper went to the address."""
        ...

    async def settle(self, reference: str, *, wanted: bool) -> Settled:
        """Ask how it stands. Money that waits for the shop's word is taken only if it is `wanted`."""
        ...

    async def refund(self, paid: Paid) -> RefundAnswer:
        """Give the money back, once: first it is asked whether that happened before."""
        ...


def amount_text(poisha: int) -> str:
    """An amount as all three gateways write it: `1234.50`."""
    return f"{poisha // POISHA_PER_TAKA}.{poisha % POISHA_PER_TAKA:02d}"


def amount_in(answer: Mapping[str, Any], key: str = "amount") -> int:
    """The amount in poisha that an answer names. GatewayError where it is none."""
    try:
        poisha = Decimal(str(answer[key]).replace(",", "")) * POISHA_PER_TAKA
        if poisha.is_finite() and poisha == poisha.to_integral_value() and 0 < poisha <= MOST:
            return int(poisha)
    except (KeyError, InvalidOperation):
        pass
    raise GatewayError(f"the answer's `{key}` is no amount")


def text_in(answer: Mapping[str, Any], key: str, longest: int = 128) -> str:
    """A text that an answer must have. GatewayError where it is missing, empty or too long."""
    value = answer.get(key)
    if isinstance(value, str) and 0 < len(value) <= longest:
        return value
    raise GatewayError(f"the answer has no `{key}`")
