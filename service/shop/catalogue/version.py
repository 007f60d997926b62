"""The catalogue's version: raised with every change that shoppers see, told to all pods at once."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "catalogue"
BUMP = "UPDATE catalogue_version SET version = version + 1"
NOTIFY = f"NOTIFY {CHANNEL}"
"""PostgreSQL delivers it when the transaction commits, and only then; SQLite knows no such thing."""


async def bump(session: AsyncSession) -> None:
    """Say, in the session's transaction, that what the catalogue shows changes with its commit."""
    await session.execute(text(BUMP))
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text(NOTIFY))
