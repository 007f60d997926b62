"""`dhakacart facts`."""

from __future__ import annotations

from typing import Any

import click

from generator.cli.common import format_option, pass_console
from generator.cli.console import Console
from generator.facts.tables import TABLES, FactTable, as_json, as_text, table


@click.command()
@click.argument("name", type=click.Choice(sorted(TABLES)), metavar="[TABLE]", required=False)
@format_option("text", "json")
@pass_console
def facts(console: Console, name: str | None, output: Any) -> int:
    """Show the facts that checks are held to, with their dates and sources.

    \b
    Examples:
      dhakacart facts                 which tables there are
      dhakacart facts ec2
      dhakacart facts charts --format json
    """
    console.format = output
    tables = [table(one) for one in ([name] if name else sorted(TABLES))]
    if output == "json":
        console.result([as_json(one) for one in tables])
    elif name:
        click.echo("\n".join(_lines(tables[0])))
    else:
        click.echo(
            "\n".join(f"{one.name:<12} {one.title} ({one.date}, {len(one.rows)} rows)" for one in tables)
        )
    return 0


def _lines(facts: FactTable) -> list[str]:
    rows = [facts.columns, *(tuple(as_text(cell) for cell in row) for row in facts.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(facts.columns))]
    body = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    rule = "  ".join("-" * width for width in widths)
    sources = [f"source: {source.text} ({source.date})" for source in facts.sources]
    return [f"{facts.title}, {facts.date}", "", body[0], rule, *body[1:], "", *sources]
