"""`dhakacart new-app` and `dhakacart new-env`: they write new files only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from generator.cli.common import complete_environment, pass_console
from generator.cli.console import Console
from generator.edit.new_app import LIKE
from generator.edit.new_app import new_app as new_app_files
from generator.edit.new_env import new_env as new_env_files
from generator.facts.charts import charts
from generator.render.apps import load_apps

dry_run_option = click.option("--dry-run", is_flag=True, help="Print the files; write nothing.")


@click.command("new-app")
@click.argument("name")
@click.option(
    "--like", type=click.Choice(LIKE), default="backend", show_default=True, help="What it resembles."
)
@click.option(
    "--chart", metavar="NAME", help=f"A Helm chart of the facts instead: {', '.join(sorted(charts()))}."
)
@dry_run_option
@pass_console
def new_app(console: Console, name: str, like: str, chart: str | None, dry_run: bool) -> int:
    """Write apps/NAME: a small app that passes every check, to be changed into yours.

    \b
    Examples:
      dhakacart new-app search
      dhakacart new-app blackbox --chart prometheus-blackbox-exporter --dry-run
    """
    repository = console.repository
    apps = load_apps(repository.apps, repository.root)
    taken = {app.name for app in apps} | {app.namespace for app in apps}
    files = new_app_files(name, taken, like=like, chart=chart)
    return _write(console, files, dry_run=dry_run, then="make render")


@click.command("new-env")
@click.argument("name")
@click.option(
    "--from",
    "source",
    required=True,
    shell_complete=complete_environment,
    help="The environment to start from.",
)
@click.option("--domain", required=True, help="Its host name.")
@click.option("--cidr", required=True, help="Its VPC's range, disjoint from all others.")
@click.option("--account", required=True, help="Its AWS account, 12 digits.")
@dry_run_option
@pass_console
def new_env(
    console: Console, name: str, source: str, domain: str, cidr: str, account: str, dry_run: bool
) -> int:
    """Write environments/NAME.yaml, made from another one: comments kept, checked beside all others.

    \b
    Example:
      dhakacart new-env perf --from staging --domain perf.dhakacart.com.bd \\
          --cidr 10.40.0.0/16 --account 444455556666
    """
    changes = {("domain",): domain, ("aws", "network", "cidr"): cidr, ("aws", "account"): account}
    files = new_env_files(console.repository.environments, name, source, changes)
    return _write(console, files, dry_run=dry_run, then=f"make render, then commit clusters/{name} too")


def _write(console: Console, files: Mapping[str, str], *, dry_run: bool, then: str) -> int:
    for path, text in files.items():
        if dry_run:
            click.echo(f"# {path}\n{text}")
            continue
        full: Path = console.repository.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        with full.open("x", encoding="utf-8") as file:  # never over something that is there
            file.write(text)
        console.say(f"+ {path}")
    if not dry_run:
        console.say(f"next: edit, {then}")
    return 0
