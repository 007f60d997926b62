"""The catalogue in memory follows the database within a moment, and outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from shop.catalogue import catalogue as module
from shop.catalogue.catalogue import Catalogue
from shop.catalogue.seeding import items, seed
from shop.catalogue.snapshot import stock_state
from shop.catalogue.version import bump
from shop.database.engine import Sessions, create_engine, create_sessions
from shop.database.migrate import migrate
from shop.problems import Problem
from shop.secret_file import SecretFile
from shop.settings import Settings
from tests.catalogue.helpers import until
from tests.conftest import postgres_settings
from tests.postgresql import DURABLE, Postgres

SLUG = items()[-1].slug


class Interrupted:
    """Sessions of a database that can be away."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.away = False

    def __call__(self) -> Any:
        if self.away:
            raise ConnectionRefusedError("nobody listens there")
        return self._sessions()


@contextlib.asynccontextmanager
async def running(settings: Settings, sessions: Sessions | Interrupted) -> AsyncIterator[Catalogue]:
    catalogue = Catalogue(settings, cast("Sessions", sessions))
    await catalogue.start()
    try:
        yield catalogue
    finally:
        await catalogue.stop()


async def fill(sessions: Sessions) -> None:
    async with sessions() as session, session.begin():
        await seed(session, items()[-30:])


async def change(sessions: Sessions, statement: str) -> None:
    async with sessions() as session, session.begin():
        await session.execute(text(statement))
        await bump(session)


def price(catalogue: Catalogue) -> int:
    answer = catalogue.answer(f"/api/v1/products/{SLUG}", b"", [])
    assert answer is not None
    assert answer.status == 200
    return int(json.loads(answer.body)["price_poisha"])


async def test_a_start_loads_what_is_for_sale(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions)
    async with running(settings, sessions) as catalogue:
        assert catalogue.loaded
        assert len(catalogue.snapshot.products) == 30
        assert set(catalogue.snapshot.by_id.values()) == set(catalogue.snapshot.products.values())
        assert 0 <= catalogue.age_seconds < 5
        assert catalogue.snapshot.products[SLUG].stock == stock_state(items()[-1].pieces)


async def test_a_change_is_shown_within_a_moment(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions)
    async with running(settings, sessions) as catalogue:
        before = catalogue.snapshot
        await change(sessions, f"UPDATE product SET price_poisha = 12300 WHERE slug = '{SLUG}'")
        await until(lambda: price(catalogue) == 12_300)
        assert before.products[SLUG].price_poisha != 12_300, "a snapshot never changes"
        await change(sessions, f"UPDATE product SET active = false WHERE slug = '{SLUG}'")
        await until(lambda: SLUG not in catalogue.snapshot.products)
        refused = catalogue.answer(f"/api/v1/products/{SLUG}", b"", [])
        assert refused is not None
        assert refused.status == 404


async def test_what_sells_out_is_shown_so(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions)
    async with running(settings, sessions) as catalogue:
        for available, state in ((0, "sold_out"), (5, "low"), (6, "in_stock")):
            await change(
                sessions,
                f"UPDATE stock SET available = {available} WHERE product_id = "
                f"(SELECT id FROM product WHERE slug = '{SLUG}')",
            )
            await until(lambda state=state: catalogue.snapshot.products[SLUG].stock == state)  # type: ignore[misc]


async def test_what_was_not_committed_is_not_shown(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions)
    async with running(settings, sessions) as catalogue:
        was = price(catalogue)
        async with sessions() as session:
            await session.execute(text("UPDATE product SET price_poisha = 1"))
            await bump(session)
            await session.rollback()
        await catalogue.refresh()
        assert price(catalogue) == was


async def test_on_postgresql_pods_hear_of_a_change_without_looking(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 3600.0)
    settings = await postgres_settings(postgres, tmp_path)
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    await fill(sessions)
    async with running(settings, sessions) as one, running(settings, sessions) as other:
        # A change that is told before a pod listens is found when it does: only the last one must be heard.
        for taka in (77, 78, 79):
            await change(sessions, f"UPDATE product SET price_poisha = {taka} WHERE slug = '{SLUG}'")
            await until(lambda taka=taka: price(one) == price(other) == taka)  # type: ignore[misc]
    await engine.dispose()


async def test_while_the_database_is_away_the_last_snapshot_answers(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "POLL", 0.06)
    caplog.set_level(logging.INFO, "shop.catalogue.catalogue")
    await fill(sessions)
    database = Interrupted(sessions)
    async with running(settings, database) as catalogue:
        was = price(catalogue)
        database.away = True
        await until(lambda: "can not be loaded: ConnectionRefusedError" in caplog.text)
        await change(sessions, f"UPDATE product SET price_poisha = 4500 WHERE slug = '{SLUG}'")
        age = catalogue.age_seconds
        await until(lambda: catalogue.age_seconds > age + 0.2)
        assert price(catalogue) == was
        assert caplog.text.count("can not be loaded") == 1, "said once, not each second"
        database.away = False
        await until(lambda: price(catalogue) == 4500)
        await until(lambda: "up to date again" in caplog.text)


async def test_a_start_without_a_database_answers_503_and_recovers(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.06)
    database = Interrupted(sessions)
    database.away = True
    async with running(settings, database) as catalogue:
        assert not catalogue.loaded
        with pytest.raises(Problem):
            _ = catalogue.snapshot
        answer = catalogue.answer("/api/v1/products", b"", [])
        assert answer is not None
        assert answer.status == 503
        assert (b"retry-after", b"1") in answer.headers
        assert catalogue.answer("/livez", b"", []) is None
        head = catalogue.answer("/api/v1/products", b"", [], "HEAD")
        assert head is not None
        assert head.body == b""
        database.away = False
        await until(lambda: catalogue.loaded)


async def test_a_start_waits_for_a_database_that_hangs_no_longer_than_agreed(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST", 0.05)

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "load", hang)
    async with asyncio.timeout(10), running(settings, sessions) as catalogue:
        assert not catalogue.loaded


async def test_a_change_that_nobody_told_is_found_in_time(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.06)
    monkeypatch.setattr(module, "ANYWAY", 0.2)
    await fill(sessions)
    async with running(settings, sessions) as catalogue:
        async with sessions() as session, session.begin():
            await session.execute(text(f"UPDATE product SET price_poisha = 4500 WHERE slug = '{SLUG}'"))
        await until(lambda: price(catalogue) == 4500)


@pytest.mark.slow
async def test_a_restart_of_postgresql_is_survived_and_listening_goes_on(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "server", DURABLE)
    server.create()
    server.start()
    try:
        settings = await postgres_settings_of(server, tmp_path)
        engine = create_engine(settings)
        sessions = create_sessions(engine)
        await fill(sessions)
        async with running(settings, sessions) as catalogue:
            was = price(catalogue)
            server.kill()
            await until(lambda: catalogue.age_seconds > 2)
            assert price(catalogue) == was
            server.start()
            await change(sessions, f"UPDATE product SET price_poisha = 4500 WHERE slug = '{SLUG}'")
            await until(lambda: price(catalogue) == 4500)
        await engine.dispose()
    finally:
        server.stop()


async def postgres_settings_of(server: Postgres, folder: Path) -> Settings:
    """A migrated database on a server of the test's own."""
    await server.execute("CREATE DATABASE own")
    address = folder / "own-database-url"
    address.write_text(server.url("own"))
    settings = Settings(database_url_file=SecretFile(address))
    await migrate(settings)
    return settings
