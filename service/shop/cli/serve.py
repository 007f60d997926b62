"""`shop serve` and `shop migrate`."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from shop.settings import Settings, SettingsError, load


def settings_or_exit() -> Settings:
    """The environment's settings; else a line for each that is wrong, and exit status 2."""
    try:
        return load(os.environ)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@click.command()
def serve() -> None:
    """Serve the API until SIGTERM, which ends it without dropping anything.

    \b
    Example:
      SHOP_DATABASE_PATH=shop.sqlite3 shop serve
    """
    from shop.server.serve import serve as run  # what other commands need not wait for

    try:
        run(settings_or_exit())
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date. A second run changes nothing."""
    from shop.database.migrate import migrate as run

    try:
        asyncio.run(run(settings_or_exit()))
    except Exception as error:  # whatever the driver says, for a person
        cause = getattr(error, "orig", None) or error
        click.echo(f"the schema can not be brought up to date: {cause}", err=True)
        sys.exit(1)
    click.echo("the schema is up to date")
