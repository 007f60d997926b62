"""Orders are never oversold, lost or doubled: many at once, twice each, two writers, a database that goes."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import asyncpg
import msgspec
import pytest
from sqlalchemy import text

from shop.database.engine import Sessions, create_engine, create_sessions
from shop.orders import writer as writers
from shop.orders.store import Stored
from shop.orders.verdict import books, verdict
from shop.orders.writer import OrderWriter
from shop.problems import Problem
from shop.secret_file import SecretFile
from shop.settings import Settings
from tests.conftest import postgres_settings
from tests.orders.shelf import Ear, fill, wish, wish_for
from tests.postgresql import DURABLE, Postgres


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[OrderWriter]:
    made = OrderWriter(settings, Ear())
    await made.start()
    yield made
    await made.drain()


async def test_an_order_is_placed_and_its_repetition_gets_the_same_answer(
    writer: OrderWriter, sessions: Sessions
) -> None:
    await fill(sessions, saree=5)
    request = wish(saree=2)
    first, second = await writer.place(request), await writer.place(request)
    assert first.status == 201
    assert (second.status, second.body, second.replayed) == (201, first.body, True)
    said = msgspec.json.decode(first.body)
    assert (said["total_poisha"], said["total"]) == (260_00, "৳260")
    assert (await books(sessions))[:4] == (1, 1, 2, 3)
    assert await verdict(sessions) == []


async def test_the_same_key_for_another_order_is_a_mistake(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    request = wish(saree=1)
    await writer.place(request)
    with pytest.raises(Problem) as caught:
        await writer.place(wish(request.key, saree=2))
    assert (caught.value.status, caught.value.code) == (422, "key_reused")
    assert (await books(sessions)).orders == 1


async def test_a_refusal_is_kept_too(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=1)
    request = wish(saree=2)
    first, second = await writer.place(request), await writer.place(request)
    assert (first.status, second) == (409, Stored(409, first.body, replayed=True))


async def test_what_is_not_for_sale_is_refused(writer: OrderWriter, sessions: Sessions) -> None:
    ids = await fill(sessions, saree=5, hidden=5)
    async with sessions.begin() as session:
        await session.execute(text(f"UPDATE product SET active = false WHERE id = {ids['hidden']}"))
    for slug in ("hidden", "'; DROP TABLE orders; --"):
        stored = await writer.place(wish_for({slug: 1}))
        assert (stored.status, msgspec.json.decode(stored.body)["code"]) == (422, "unknown_product")


async def test_text_is_stored_as_it_is(writer: OrderWriter, sessions: Sessions) -> None:
    await fill(sessions, saree=5)
    name = "<script>alert('x')</script>'; DELETE FROM orders; --"
    await writer.place(wish()._replace(name=name))
    async with sessions() as session:
        assert (await session.execute(text("SELECT name FROM orders"))).scalars().all() == [name]


async def test_five_hundred_pieces_are_sold_to_thousands_who_ask_twice(
    settings: Settings, sessions: Sessions
) -> None:
    await fill(sessions, saree=500)
    ear = Ear()
    pods = (
        [OrderWriter(settings, ear), OrderWriter(settings, ear)]
        if settings.on_postgresql
        else [OrderWriter(settings, ear)]
    )
    for pod in pods:
        await pod.start()
    wishes = [wish(saree=n % 3 + 1) for n in range(1000)]
    answers = await asyncio.gather(
        *[pods[(n + side) % len(pods)].place(each) for n, each in enumerate(wishes) for side in (0, 1)]
    )
    for pod in pods:
        await pod.drain()
    pairs = list(zip(answers[::2], answers[1::2], strict=True))
    assert all(one[:2] == other[:2] for one, other in pairs), "both get the same answer"
    placed = sum(one.status == 201 for one, _ in pairs)
    counted = await books(sessions)
    assert (counted.sold, counted.left) == (500, 0)
    assert counted.orders == counted.keys_with_order == placed == ear.outcomes["placed"]
    assert ear.outcomes["replayed"] == 1000
    assert await verdict(sessions) == []


async def test_orders_of_a_moment_share_a_commit(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions, saree=500)
    ear = Ear()
    writer = OrderWriter(settings, ear)
    await writer.start()
    await asyncio.gather(*[writer.place(wish()) for _ in range(200)])
    await writer.drain()
    assert sum(ear.batches) == 200
    assert len(ear.batches) <= 3


async def test_a_full_queue_refuses_at_once(settings: Settings, sessions: Sessions) -> None:
    await fill(sessions, saree=500)
    writer = OrderWriter(settings, Ear(), capacity=10)
    await writer.start()
    answers = await asyncio.gather(*[writer.place(wish()) for _ in range(30)], return_exceptions=True)
    await writer.drain()
    refused = [each for each in answers if isinstance(each, Problem)]
    assert {(each.status, each.code) for each in refused} == {(503, "busy")}
    assert all("Retry-After" in each.headers for each in refused)
    assert (await books(sessions)).orders == len(answers) - len(refused) == 10


async def test_what_waits_is_committed_at_the_end_and_nothing_is_taken_after(
    settings: Settings, sessions: Sessions
) -> None:
    await fill(sessions, saree=500)
    writer = OrderWriter(settings, Ear())
    await writer.start()
    waiting = [asyncio.ensure_future(writer.place(wish())) for _ in range(300)]
    await asyncio.sleep(0)
    await writer.drain()
    assert {(await each).status for each in waiting} == {201}
    with pytest.raises(Problem, match="about to end"):
        await writer.place(wish())


async def test_a_full_disk_stores_nothing_and_says_so(tmp_path: Path) -> None:
    from tests.conftest import sqlite_settings

    settings = await sqlite_settings(tmp_path)
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    await fill(sessions, saree=5000)
    writer = OrderWriter(settings, Ear())
    await writer.start()
    assert (await writer.place(wish())).status == 201
    connection = writer._store._connection  # type: ignore[attr-defined]  # the limit is the connection's own
    pages = (await (await connection.execute("PRAGMA page_count")).fetchone())[0]
    await connection.execute(f"PRAGMA max_page_count={pages + 1}")
    answers = await asyncio.gather(*[writer.place(wish()) for _ in range(60)], return_exceptions=True)
    await connection.execute("PRAGMA max_page_count=1000000")
    placed = [each for each in answers if isinstance(each, Stored)]
    refused = [each for each in answers if isinstance(each, Problem)]
    assert refused
    assert {(each.status, each.code) for each in refused} == {(503, "database")}
    assert (await books(sessions)).orders == 1 + len(placed)
    assert (await writer.place(wish())).status == 201, "it goes on when there is room again"
    assert await verdict(sessions) == []
    await writer.drain()
    await engine.dispose()


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[Postgres, Settings]]:
    """A durable PostgreSQL of the test's own, to be mistreated."""
    with tempfile.TemporaryDirectory(prefix="shop-pg-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), DURABLE)
        server.create()
        server.start()
        try:
            await server.execute("CREATE DATABASE shop")
            address = tmp_path / "database-url"
            address.write_text(server.url("shop"))
            settings = Settings(database_url_file=SecretFile(address))
            from shop.database.migrate import migrate

            await migrate(settings)
            yield server, settings
        finally:
            server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_database_that_restarts_under_load_loses_and_doubles_nothing(
    own: tuple[Postgres, Settings], how: str
) -> None:
    server, settings = own
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    await fill(sessions, saree=100_000)
    writer = OrderWriter(settings, Ear())
    await writer.start()
    acknowledged: set[str] = set()
    told: set[tuple[int, str]] = set()
    ending = asyncio.Event()

    async def client() -> None:
        while not ending.is_set():
            request = wish()
            while True:  # as the storefront does: the same key until there is an answer
                try:
                    stored = await writer.place(request)
                except Problem as problem:
                    told.add((problem.status, problem.code))
                    await asyncio.sleep(0.05)
                else:
                    assert stored.status == 201
                    acknowledged.add(request.key)
                    break

    clients = [asyncio.create_task(client()) for _ in range(16)]
    await asyncio.sleep(0.5)
    before = len(acknowledged)
    await asyncio.to_thread(getattr(server, how))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.start)
    began = len(acknowledged)
    while len(acknowledged) < began + 100:
        await asyncio.sleep(0.05)
    ending.set()
    await asyncio.gather(*clients)
    await writer.drain()
    await engine.dispose()  # connections of before the restart
    counted = await books(sessions)
    assert before
    assert told <= {(503, "database"), (503, "busy")}
    assert counted.orders == counted.keys_with_order == counted.sold == len(acknowledged)
    assert await verdict(sessions) == []
    await engine.dispose()


async def test_no_database_is_told_after_a_while_and_it_recovers_by_itself(
    own: tuple[Postgres, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, settings = own
    monkeypatch.setattr(writers, "PATIENCE", 0.3)
    engine = create_engine(settings)
    await fill(create_sessions(engine), saree=10)
    await engine.dispose()
    await asyncio.to_thread(server.stop)
    writer = OrderWriter(settings, Ear())
    await writer.start()
    request = wish()
    with pytest.raises(Problem) as caught:
        await writer.place(request)
    assert (caught.value.status, caught.value.code) == (503, "database")
    monkeypatch.setattr(writers, "PATIENCE", 30.0)
    await asyncio.to_thread(server.start)
    assert (await writer.place(request)).status == 201
    await writer.drain()


def test_the_last_guard_is_the_databases_own(tmp_path: Path) -> None:
    async def check() -> None:
        from tests.conftest import sqlite_settings

        settings = await sqlite_settings(tmp_path)
        async with aiosqlite.connect(settings.database_path) as connection:
            await connection.execute("INSERT INTO category VALUES (1, 'c', 'c', 'c', 0)")
            with pytest.raises(sqlite3.IntegrityError, match="never_oversold"):
                await connection.execute("INSERT INTO stock VALUES (1, -1)")

    asyncio.run(check())


async def test_the_last_guard_holds_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    settings = await postgres_settings(postgres, tmp_path)
    assert settings.database_url_file
    connection = await asyncpg.connect(settings.database_url_file.read())
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="never_oversold"):
            await connection.execute("INSERT INTO stock VALUES (1, -1)")
    finally:
        await connection.close()
