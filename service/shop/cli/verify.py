"""`shop verify`: are the books right?"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import click

from shop.database.engine import create_engine, create_sessions
from shop.orders.verdict import Books, Finding, books, verdict
from shop.settings import Settings, SettingsError, load


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def verify(as_json: bool) -> None:
    """Check that nothing was sold twice, nothing is lost, and every sum adds up.

    Reads the database that SHOP_DATABASE_URL_FILE or SHOP_DATABASE_PATH names. Exit status: 0 clean, 1 not,
    2 could not look.

    \b
    Example:
      SHOP_DATABASE_PATH=shop.sqlite3 shop verify
    """
    try:
        counted, findings = asyncio.run(_look(load(os.environ)))
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except Exception as error:  # whatever the driver says, for a person
        click.echo(
            f"the database can not be read: {type(error).__name__}: {str(error).splitlines()[0]}", err=True
        )
        sys.exit(2)
    if as_json:
        said = {"clean": not findings, **counted._asdict(), "findings": [each._asdict() for each in findings]}
        click.echo(json.dumps(said))
    else:
        click.echo(_text(counted, findings))
    sys.exit(1 if findings else 0)


async def _look(settings: Settings) -> tuple[Books, list[Finding]]:
    engine = create_engine(settings)
    try:
        sessions = create_sessions(engine)
        return await books(sessions), await verdict(sessions)
    finally:
        await engine.dispose()


def _text(counted: Books, findings: list[Finding]) -> str:
    lines = [
        f"{counted.orders} orders; received {counted.received}, sold {counted.sold}, left {counted.left}"
    ]
    lines += [
        f"  {each.check}: {each.subject}: {each.found}, should be {each.expected} ({each.rule})"
        for each in findings[:50]
    ]
    if len(findings) > 50:
        lines.append(f"  and {len(findings) - 50} more")
    lines.append("the books are NOT right" if findings else "the books are right")
    return "\n".join(lines)
