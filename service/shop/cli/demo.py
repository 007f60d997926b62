"""`shop demo`: the whole shop on a laptop."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import sys
from pathlib import Path

import click

from shop.catalogue.seeding import items
from shop.cli import seed
from shop.cli.serve import settings_or_exit
from shop.settings import SettingsError

MANAGER = "manager@shop.example"


@click.command()
@click.option("--web", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Built pages.")
def demo(web: Path | None) -> None:
    """Migrate, fill and serve the shop, with its pages, on this machine.

    Takes another port where 8000 is taken, and prints the address. Where nobody works here yet, a manager
    is made and the password printed, this once.
    """
    from shop.cli.staff import first_manager
    from shop.database.migrate import migrate
    from shop.server.serve import serve

    settings = settings_or_exit()
    port = settings.port if _free(settings.host, settings.port) else _any(settings.host)
    address = f"http://{settings.host}:{port}"
    settings = dataclasses.replace(
        settings,
        port=port,
        metrics_port=0,
        public_url=address,
        web_root=web or settings.web_root,
        log_level="warning",
    )
    asyncio.run(migrate(settings))
    asyncio.run(seed.run(settings, items(None)))
    password = asyncio.run(first_manager(settings, MANAGER))
    click.echo(f"the shop is open: {address}/  (Ctrl-C closes it)")
    click.echo(f"for its staff:    {address}/admin/  {_way_in(password)}")
    try:
        serve(settings)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _way_in(password: str) -> str:
    if password:
        return f"{MANAGER}, password {password} (kept nowhere else)"
    return "another account: python -m shop staff add me@example.com --role manager"


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _any(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
