"""`shop seed`: goods for a new shop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import click

from shop.catalogue import seeding
from shop.database.engine import create_engine, create_sessions
from shop.settings import Settings, SettingsError, load

MOST_PIECES = 10_000_000


@click.command("seed")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help="How many products at most, the newest first; without it all.",
)
@click.option(
    "--stock",
    type=click.IntRange(0, MOST_PIECES),
    help="Pieces of each product; without it some are sold out and some nearly.",
)
def command(count: int | None, stock: int | None) -> None:
    """Add the products of a Bangladeshi shop that are not there yet.

    What is there stays as it is: a second run changes nothing. Reads the database that SHOP_DATABASE_URL_FILE
    or SHOP_DATABASE_PATH names.

    \b
    Examples:
      shop seed
      shop seed --count 20 --stock 500
    """
    try:
        settings = load(os.environ)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    try:
        added = asyncio.run(run(settings, seeding.items(stock)[-(count or 0) :]))
    except Exception as error:  # whatever the driver says, for a person
        said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        click.echo(f"the database can not be filled: {said}; has `shop migrate` been run?", err=True)
        sys.exit(1)
    click.echo(f"added {added.categories} categories, {added.products} products, {added.pieces} pieces")


async def run(settings: Settings, wanted: Sequence[seeding.Item]) -> seeding.Seeded:
    """Seed the database of `settings`, in one transaction."""
    engine = create_engine(settings)
    try:
        async with create_sessions(engine)() as session, session.begin():
            return await seeding.seed(session, wanted)
    finally:
        await engine.dispose()
