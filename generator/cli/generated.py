"""`dhakacart schema` and `dhakacart docs`: files that are made from the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from generator.cli.common import counted, pass_console
from generator.cli.console import Console
from generator.config.schema import schema_text

SCHEMA = Path("environments") / "environment.schema.json"
RULES = Path("docs") / "rules"
COST = Path("docs") / "cost.md"


@click.command()
@click.option("--write", is_flag=True, help=f"Write it to {SCHEMA}.")
@click.option("--check", is_flag=True, help="Exit 1 where the committed schema is out of date.")
@pass_console
def schema(console: Console, write: bool, check: bool) -> int:
    """Print the JSON Schema of environment files, for editors.

    \b
    Examples:
      dhakacart schema           print it
      dhakacart schema --write   update environments/environment.schema.json
      dhakacart schema --check   for CI
    """
    if not (write or check):
        click.echo(schema_text(), nl=False)
        return 0
    return _settle(console, {SCHEMA: schema_text()}, write=write)


@click.command()
@click.option("--write", is_flag=True, help=f"Write them to {RULES}/ and {COST}.")
@pass_console
def docs(console: Console, write: bool) -> int:
    """Compare the generated pages with what they are made from; --write updates them.

    docs/rules/ comes from the rules, docs/cost.md from the environments and the facts about prices.

    \b
    Examples:
      dhakacart docs           exit 1 where a page is missing, stale or left over
      dhakacart docs --write
    """
    from generator.check.docs import pages
    from generator.config.load import load_environments
    from generator.report.cost_page import page

    root = console.repository.root
    loaded = load_environments(root / "environments", root)
    folder = root / RULES
    wanted = {RULES / name: text for name, text in pages().items()}
    wanted[COST] = page([each.environment for each in loaded])
    stale = [path for path in folder.glob("*.md") if RULES / path.name not in wanted]
    for path in stale:
        if write:
            path.unlink()
        console.say(f"- {RULES / path.name}")
    return max(_settle(console, wanted, write=write), int(bool(stale) and not write))


def _settle(console: Console, wanted: Mapping[Path, str], *, write: bool) -> int:
    """Write what differs, or tell of it and give 1."""
    root = console.repository.root
    differing = {path: text for path, text in wanted.items() if _text(root / path) != text}
    for path, text in sorted(differing.items()):
        if write:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        console.say(f"~ {path}")
    if differing and not write:
        click.echo(f"{counted(len(differing), 'file')} out of date: run `make docs`", err=True)
        return 1
    return 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
