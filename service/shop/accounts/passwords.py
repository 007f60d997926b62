"""Passwords of staff: argon2id, off the event loop, and as slow for an account that does not exist."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST, LONGEST = 12, 200
COMMON = frozenset(
    {
        "password1234",
        "passwordpassword",
        "123456789012",
        "1234567890123",
        "qwertyuiop12",
        "qwertyuiopas",
        "bangladesh123",
        "bangladesh1971",
        "dhakacart1234",
        "administrator",
        "letmeinplease",
        "iloveyou1234",
    }
)
_HASHER = PasswordHasher()  # RFC 9106's second choice: 64 MiB, three passes


def weakness(password: str) -> str:
    """Why a password is not accepted; empty when it is."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"{SHORTEST} to {LONGEST} characters, please"
    if password.lower() in COMMON or len(set(password)) < 5:
        return "that is among the first that anybody would try"
    return ""


async def hashed(password: str) -> str:
    """What is stored of it."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether it is the one; takes as long where nothing is stored."""
    found = await asyncio.to_thread(_verify, stored or _nobodys(), password)
    return found and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex(16))
