"""Signed places in the waiting line. Nothing is stored: what a ticket says is on it, and its signature holds.

A signing key that was replaced still verifies, for as long as this process knows it.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer

from shop.problems import Problem
from shop.secret_file import SecretFile

TICKET_LIVES = 4 * 3600.0
PASS_LIVES = 600.0
SKEW = 120.0
"""Seconds that another pod's clock may be ahead."""


class Ticket(NamedTuple):
    """Somebody's place: when they came (seconds since 1970), for which order, to buy what."""

    arrival: float
    key: str
    products: tuple[str, ...]


class Tickets:
    """Signs and reads tickets and passes with the keys of a file, or one made up for a laptop."""

    def __init__(self, key_file: SecretFile | None) -> None:
        self._file = key_file
        self._made_up = [secrets.token_hex(32)]

    def ticket(self, ticket: Ticket) -> str:
        """The text that its owner keeps."""
        return str(self._serializer("ticket").dumps([ticket.arrival, ticket.key, list(ticket.products)]))

    def read(self, text: str, now: float) -> Ticket:
        """What a ticket says. Problem 400 where it is not ours, 410 where it is too old."""
        arrival, key, products = self._load("ticket", text)
        if now - arrival > TICKET_LIVES:
            raise Problem(410, "ticket_expired", "this ticket is too old; take another one")
        if arrival > now + SKEW:
            raise Problem(400, "ticket", "this ticket is from the future")
        return Ticket(min(arrival, now), key, tuple(products))

    def grant(self, key: str, now: float) -> str:
        """A pass for the order with this key."""
        return str(self._serializer("pass").dumps([now, key]))

    def allows(self, text: str, key: str, now: float) -> bool:
        """Whether a pass is ours, for this key, and still valid."""
        try:
            granted, owner = self._load("pass", text)
        except Problem:
            return False
        return bool(owner == key and -SKEW <= now - granted <= PASS_LIVES)

    def _load(self, salt: str, text: str) -> list:  # type: ignore[type-arg]  # signed by us: its shape is known
        try:
            return list(self._serializer(salt).loads(text))
        except BadSignature:
            raise Problem(400, "ticket", "this is no ticket of ours") from None

    def _serializer(self, salt: str) -> URLSafeSerializer:
        keys = self._file.keys() if self._file else self._made_up
        return URLSafeSerializer(keys, salt=f"waiting-{salt}")
