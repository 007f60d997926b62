"""`shop refunds`: what a person sees and says about money that is to go back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shop.cli.refunds import refunds
from shop.database.engine import create_engine, create_sessions
from shop.orders.models import Order, Status
from shop.payments.models import Payment, PaymentStatus
from tests.conftest import sqlite_settings


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a refund that is due and one that is done."""
    path = tmp_path / "shop.sqlite3"
    monkeypatch.setenv("SHOP_DATABASE_PATH", str(path))
    asyncio.run(_fill(path))
    return path


async def _fill(path: Path) -> None:
    engine = create_engine(await sqlite_settings(path.parent))
    order = Order(
        number="7A00000001",
        status=Status.CANCELLED,
        payment_method="sslcommerz",
        language="bn",
        name="A shopper",
        phone="01712345678",
        district="dhaka",
        address="House 1, Road 2, Dhanmondi",
        subtotal_poisha=890_000,
        delivery_poisha=6_000,
        total_poisha=896_000,
    )
    async with create_sessions(engine).begin() as session:
        session.add(order)
        await session.flush()
        for reference, status in (("ONE", PaymentStatus.REFUND_DUE), ("TWO", PaymentStatus.REFUNDED)):
            session.add(
                Payment(
                    order_number=order.number,
                    provider="sslcommerz",
                    reference=reference,
                    status=status,
                    amount_poisha=896_000,
                )
            )
    await engine.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(refunds, arguments)


def test_what_is_due_is_listed_and_named_once(shop: Path) -> None:
    [due] = json.loads(run("list", "--json").output)
    assert (due["order"], due["reference"], due["refund"], due["amount"]) == (
        "7A00000001",
        "ONE",
        "",
        "৳8,960",
    )
    assert "without a name" in run("list").output
    named = run("name", str(due["payment"]), " 5f1c27d3b2a94 ")
    assert (named.exit_code, "5f1c27d3b2a94" in named.output) == (0, True)
    assert "refund 5f1c27d3b2a94" in run("list").output
    other = run("name", str(due["payment"]), "another")
    assert (other.exit_code, other.output) == (1, "its refund is 5f1c27d3b2a94, as the provider said\n")


def test_what_can_not_be_is_a_line(shop: Path) -> None:
    assert (run("name", "99", "x").exit_code, run("name", "99", "x").output) == (
        1,
        "there is no such payment\n",
    )
    done = run("name", "2", "x")
    assert (done.exit_code, done.output) == (1, "the payment is refunded: no refund of it is due\n")
    assert run("name", "1", " ").exit_code == 2


def test_without_a_database_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_PATH", str(tmp_path / "empty.sqlite3"))
    done = run("list")
    assert done.exit_code == 1
    assert "the database can not be asked" in done.output
