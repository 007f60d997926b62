"""Who works here: signing in, short tokens, and what a token is worth now."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer
from sqlmodel import col, select

from shop.accounts.models import Staff
from shop.accounts.passwords import matches
from shop.database.engine import Sessions
from shop.problems import Problem
from shop.secret_file import SecretFile
from shop.server.rate import Rate, too_often
from shop.settings import Settings

TOKEN_LIVES = 15 * 60.0
SESSION_LIVES = 12 * 3600.0
"""Seconds: a token is renewed without the password until a working day is over."""
TRIES_A_MINUTE = 5


class Session(NamedTuple):
    """Somebody who is signed in, with the token that says so from now on."""

    staff: Staff
    token: str
    began: float


class Accounts:
    """Signs tokens with the keys of a file, or with one made up for a laptop."""

    def __init__(
        self, settings: Settings, sessions: Sessions, clock: Callable[[], float] = time.time
    ) -> None:
        self._sessions = sessions
        self._file: SecretFile | None = settings.session_key_file
        self._made_up = [secrets.token_hex(32)]
        self._clock = clock
        self._by_account = Rate(TRIES_A_MINUTE)
        self._by_client = Rate(TRIES_A_MINUTE * 6)

    async def sign_in(self, email: str, password: str, client: str) -> Session:
        """A session for the right password. Problem 401 that does not tell what was wrong, or 429."""
        name = email.strip().lower()
        if wait := max(self._by_client.wait(client), self._by_account.wait(f"{name} {client}")):
            raise too_often(wait)
        async with self._sessions() as session:
            staff = (
                await session.execute(select(Staff).where(col(Staff.email) == name))
            ).scalar_one_or_none()
        right = await matches(staff.password_hash if staff else None, password)
        if staff is None or not right or not staff.active:
            raise Problem(401, "wrong_credentials", "no such account, or another password")
        now = self._clock()
        return Session(staff, self._token(staff, now, now), now)

    async def read(self, token: str) -> Session:
        """Who a token belongs to now. Problem 401 where it is none, too old, or its owner was signed out."""
        try:
            number, generation, began, made = self._serializer().loads(token)
        except (BadSignature, ValueError, TypeError):
            raise signed_out() from None
        now = self._clock()
        if not -60 <= now - made <= TOKEN_LIVES or now - began > SESSION_LIVES:
            raise signed_out()
        async with self._sessions() as session:
            staff = await session.get(Staff, number)
        if staff is None or not staff.active or staff.generation != generation:
            raise signed_out()
        return Session(staff, token, began)

    def renewed(self, session: Session) -> str:
        """Another token for the same session."""
        return self._token(session.staff, session.began, self._clock())

    def _token(self, staff: Staff, began: float, made: float) -> str:
        return str(self._serializer().dumps([staff.id, staff.generation, began, made]))

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._file.keys() if self._file else self._made_up, salt="staff-session")


def signed_out() -> Problem:
    """401: sign in first."""
    return Problem(401, "signed_out", "sign in first", headers={"WWW-Authenticate": "Bearer"})
