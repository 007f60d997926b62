"""`shop refunds`: money that is to go back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.cli.serve import settings_or_exit
from shop.database.engine import create_engine, create_sessions
from shop.money import taka
from shop.payments import refunds as payments
from shop.payments.models import Payment
from shop.problems import Problem

T = TypeVar("T")


@click.group()
def refunds() -> None:
    """Money that is to go back, and has not."""


@refunds.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
def list_due(*, as_json: bool) -> None:
    """List what is due. One without a name, an hour old, was lost on the way: look at the provider's panel.

    \b
    Example:
      shop refunds list --json
    """
    found = [_row(payment) for payment in _with_session(payments.due)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif not found:
        click.echo("no refund is due")
    for row in [] if as_json else found:
        name = f"refund {row['refund']}" if row["refund"] else "without a name"
        click.echo(
            f"{row['payment']}  {row['order']}  {row['provider']}  {row['amount']}  {row['since']}  {name}"
        )


@refunds.command()
@click.argument("payment", type=int)
@click.argument("refund")
def name(payment: int, refund: str) -> None:
    """Say what the provider calls the REFUND of a PAYMENT; the running shop then asks how it stands.

    \b
    Example:
      shop refunds name 17 5f1c27d3b2a94
    """
    if not 1 <= len(refund.strip()) <= 128:
        click.echo("the name of a refund has 1 to 128 characters", err=True)
        sys.exit(2)
    named = _with_session(lambda session: payments.name_refund(session, payment, refund.strip()))
    click.echo(f"the refund of payment {named.id} is {named.refund}: the shop asks {named.provider} about it")


def _row(payment: Payment) -> dict[str, object]:
    return {
        "payment": payment.id,
        "order": payment.order_number,
        "provider": payment.provider,
        "reference": payment.reference,
        "transaction": payment.transaction,
        "refund": payment.refund,
        "amount": taka(payment.amount_poisha, "en"),
        "since": payment.updated_at.isoformat(timespec="seconds"),
    }


def _with_session(do: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What `do` gives, committed; else a line for a person, and exit status 1."""
    try:
        return asyncio.run(_committed(do))
    except Problem as error:
        click.echo(error.detail, err=True)
    except (OSError, DBAPIError) as error:
        click.echo(f"the database can not be asked: {getattr(error, 'orig', None) or error}", err=True)
    sys.exit(1)


async def _committed(do: Callable[[AsyncSession], Awaitable[T]]) -> T:
    engine = create_engine(settings_or_exit())
    try:
        async with create_sessions(engine).begin() as session:
            return await do(session)
    finally:
        await engine.dispose()
