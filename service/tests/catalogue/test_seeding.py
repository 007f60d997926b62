"""`shop seed` fills a shop the same way every time, and spoils nothing that is there."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from shop.catalogue.seeding import assortment, items
from shop.cli.seed import command, run
from shop.database.engine import Sessions
from shop.settings import Settings
from tests.conftest import sqlite_settings

EVERYTHING = (
    *("SELECT * FROM category ORDER BY id", "SELECT * FROM product ORDER BY id"),
    *("SELECT * FROM stock ORDER BY product_id", "SELECT * FROM stock_movement ORDER BY id"),
    "SELECT * FROM catalogue_version",
)


async def rows(sessions: Sessions, statement: str) -> list[Any]:
    async with sessions() as session:
        return [tuple(row) for row in await session.execute(text(statement))]


async def everything(sessions: Sessions) -> list[Any]:
    return [await rows(sessions, statement) for statement in EVERYTHING]


def test_there_are_a_few_hundred_products_on_a_dozen_shelves() -> None:
    assert len(items()) >= 240
    assert len(assortment().categories) >= 12
    assert all(count >= 10 for count in Counter(item.category for item in items()).values())


def test_every_product_has_its_own_slug_and_names_in_both_scripts() -> None:
    assert len({item.slug for item in items()}) == len(items())
    assert len({item.name_en for item in items()}) == len({item.name_bn for item in items()}) == len(items())
    for item in items():
        for bangla in (item.name_bn, item.about_bn):
            assert any("\u0980" <= char <= "\u09ff" for char in bangla), item.slug
        for english in (item.name_en, item.about_en):
            assert not any("\u0980" <= char <= "\u09ff" for char in english), item.slug


def test_prices_are_whole_taka_that_people_pay() -> None:
    for item in items():
        assert item.price_poisha % 100 == 0
        assert 40_00 <= item.price_poisha <= 30_000_00, item.slug


def test_of_a_size_the_larger_costs_more() -> None:
    for shelf in assortment().categories:
        for kind in shelf.kinds:
            prices = [size.taka for size in kind.sizes]
            assert prices == sorted(prices), kind.slug


def test_a_kind_has_one_price_or_one_for_each_size() -> None:
    for shelf in assortment().categories:
        for kind in shelf.kinds:
            assert bool(kind.taka) is not bool(kind.sizes), kind.slug
            assert bool(kind.palette) is not bool(kind.colours), kind.slug


def test_some_are_sold_out_and_some_nearly() -> None:
    pieces = [item.pieces for item in items()]
    assert 5 <= sum(count == 0 for count in pieces) <= len(pieces) // 10
    assert 5 <= sum(1 <= count <= 5 for count in pieces) <= len(pieces) // 5


def test_the_newest_page_shows_many_shelves() -> None:
    assert len({item.category for item in items()[-20:]}) >= 4


async def test_the_database_holds_what_the_list_says(settings: Settings, sessions: Sessions) -> None:
    added = await run(settings, items())
    assert (added.categories, added.products) == (len(assortment().categories), len(items()))
    assert await rows(
        sessions,
        "SELECT p.slug, p.price_poisha, p.image, c.slug, s.available FROM product p "
        "JOIN category c ON c.id = p.category_id JOIN stock s ON s.product_id = p.id ORDER BY p.id",
    ) == [(item.slug, item.price_poisha, item.image, item.category, item.pieces) for item in items()]


async def test_stock_comes_in_through_receipts(settings: Settings, sessions: Sessions) -> None:
    await run(settings, items())
    assert (
        await rows(
            sessions,
            "SELECT s.product_id FROM stock s LEFT JOIN stock_movement m USING (product_id) "
            "GROUP BY s.product_id, s.available HAVING s.available <> coalesce(sum(m.quantity), 0)",
        )
        == []
    )
    assert await rows(sessions, "SELECT DISTINCT reason, actor FROM stock_movement") == [("receipt", "seed")]


async def test_a_second_run_changes_nothing(settings: Settings, sessions: Sessions) -> None:
    await run(settings, items())
    before = await everything(sessions)
    added = await run(settings, items())
    assert (added.categories, added.products, added.pieces) == (0, 0, 0)
    assert await everything(sessions) == before


async def test_two_runs_at_once_add_everything_once(settings: Settings, sessions: Sessions) -> None:
    added = await asyncio.gather(run(settings, items()), run(settings, items()))
    assert sorted(each.products for each in added) == [0, len(items())]
    assert await rows(sessions, "SELECT count(*) FROM product") == [(len(items()),)]


async def test_the_rest_is_added_and_what_staff_changed_stays(settings: Settings, sessions: Sessions) -> None:
    await run(settings, items()[-10:])
    async with sessions() as session, session.begin():
        await session.execute(text("UPDATE product SET price_poisha = 777, active = false"))
    added = await run(settings, items())
    assert added.products == len(items()) - 10
    assert await rows(sessions, "SELECT count(*) FROM product WHERE price_poisha = 777") == [(10,)]


async def test_the_catalogue_is_told_once_a_run(settings: Settings, sessions: Sessions) -> None:
    await run(settings, items())
    assert await rows(sessions, "SELECT version FROM catalogue_version") == [(2,)]


@pytest.mark.parametrize("stock", [0, 500])
async def test_a_load_test_may_say_how_many_there_are(
    settings: Settings, sessions: Sessions, stock: int
) -> None:
    await run(settings, items(stock)[-3:])
    assert await rows(sessions, "SELECT available FROM stock") == [(stock,)] * 3


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrated shop on SQLite, named by the environment as for a command."""
    asyncio.run(sqlite_settings(tmp_path))
    path = tmp_path / "shop.sqlite3"
    monkeypatch.setenv("SHOP_DATABASE_PATH", str(path))
    return path


def test_the_command_says_what_it_did(shop: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(command, ["--count", "12", "--stock", "9"])
    assert (done.exit_code, done.output) == (0, "added 15 categories, 12 products, 108 pieces\n")
    again = runner.invoke(command, ["--count", "12"])
    assert (again.exit_code, again.output) == (0, "added 0 categories, 0 products, 0 pieces\n")
    rest = runner.invoke(command, [])
    assert f"{len(items()) - 12} products" in rest.output


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--stock", "-1"], ["--count", "many"]])
def test_the_command_refuses_nonsense(shop: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_without_a_schema_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DATABASE_PATH", str(tmp_path / "empty.sqlite3"))
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 1
    assert "shop migrate" in done.output
    assert "Traceback" not in done.output


def test_wrong_settings_are_a_line_and_exit_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "many")
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 2
    assert "SHOP_PORT" in done.output


def test_the_file_has_no_member_that_nobody_reads() -> None:
    path = Path(__file__).parents[2] / "shop" / "catalogue" / "seed.json"
    assert msgspec.to_builtins(assortment()).keys() == msgspec.json.decode(path.read_bytes()).keys()
