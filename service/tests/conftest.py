"""Every test that takes `settings` runs twice: on SQLite, and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shop.database.engine import Sessions, create_engine, create_sessions
from shop.database.migrate import migrate
from shop.secret_file import SecretFile
from shop.settings import Settings
from tests.postgresql import Postgres, PostgresMissingError

_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Give programs that tests start their Ctrl-C back: whoever runs us in the background may ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's PostgreSQL, without durability. In CI it is a failure if there is none."""
    # Not below pytest's own folder: the server's user could not enter it.
    with tempfile.TemporaryDirectory(prefix="shop-pg-", ignore_cleanup_errors=True) as folder:
        try:
            server = Postgres(Path(folder))
        except PostgresMissingError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


_migrated: set[str] = set()


async def postgres_settings(server: Postgres, folder: Path, database: str | None = None) -> Settings:
    """Settings of a new, migrated database on `server`; a copy of one that was migrated once."""
    if "template" not in _migrated:
        await server.execute("CREATE DATABASE template_shop")
        await migrate(_on(server, folder, "template_shop"))
        _migrated.add("template")
    name = database or f"shop_{next(_numbers)}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE template_shop")
    return _on(server, folder, name)


async def sqlite_settings(folder: Path) -> Settings:
    """Settings of a new, migrated SQLite file."""
    settings = Settings(database_path=folder / "shop.sqlite3")
    await migrate(settings)
    return settings


def _on(server: Postgres, folder: Path, database: str) -> Settings:
    address = folder / f"database-url-{database}"
    address.write_text(server.url(database))
    return Settings(database_url_file=SecretFile(address))


@pytest.fixture(params=["sqlite", "postgresql"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty shop: migrated, nothing for sale."""
    if request.param == "sqlite":
        return await sqlite_settings(tmp_path)
    return await postgres_settings(request.getfixturevalue("postgres"), tmp_path)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The engine of `settings`."""
    made = create_engine(settings)
    yield made
    await made.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    """Makes sessions of `engine`."""
    return create_sessions(engine)
