"""The engine: PostgreSQL where an address is given, else SQLite in a file. One code path for both."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from shop.database import postgres
from shop.settings import Settings

BUSY_MILLISECONDS = 10_000
Sessions = async_sessionmaker[AsyncSession]


def create_engine(settings: Settings) -> AsyncEngine:
    """An engine of `settings`; nothing connects before it is used. Dispose it at the end."""
    if settings.on_postgresql:
        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(postgres.connect, settings),
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=2.0,
            pool_pre_ping=True,
            pool_recycle=900,
        )
    engine = create_async_engine(f"sqlite+aiosqlite:///{settings.database_path}")
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def create_sessions(engine: AsyncEngine) -> Sessions:
    """Makes sessions. Objects stay readable after a commit: nothing is loaded behind one's back."""
    return async_sessionmaker(engine, expire_on_commit=False)


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Durable like a server: WAL with a flush for each commit; writers queue instead of failing."""
    connection.isolation_level = None  # the driver begins no transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and writes later can not be upgraded when another wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
