"""`shop demo`: the whole shop on a laptop."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from shop.catalogue.seeding import items
from shop.cli import seed
from shop.cli.serve import settings_or_exit
from shop.secret_file import SecretFile
from shop.settings import Settings, SettingsError

MANAGER = "manager@shop.example"


@click.command()
@click.option("--web", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Built pages.")
@click.option("--pay-online", is_flag=True, help="Also bKash, Nagad and SSLCommerz: a program plays them.")
def demo(web: Path | None, *, pay_online: bool) -> None:
    """Migrate, fill and serve the shop, with its pages, on this machine.

    Takes another port where 8000 is taken, and prints the address. Where nobody works here yet, a manager
    is made and the password printed, this once.

    \b
    Examples:
      shop demo --web web/dist
      make shop ARGS=--pay-online     try every way to pay; no money moves
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
        with _gateways(settings) if pay_online else nullcontext(settings) as complete:
            serve(complete)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@contextmanager
def _gateways(settings: Settings) -> Iterator[Settings]:
    """The settings with every way to pay, while a program plays the providers."""
    from shop.payments.fake import BASES

    with tempfile.TemporaryDirectory(prefix="dhakacart-gateways-") as folder:
        command = [sys.executable, "-m", "shop.payments.fake", "--write", folder]
        command += ["--port", str(_any("127.0.0.1"))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateways:  # noqa: S603 -- ours
            try:
                assert gateways.stdout
                address = gateways.stdout.readline().strip()  # by now the credentials are written
                click.echo(f"its gateways only play: {address}, no money moves")
                bkash, nagad, sslcommerz = (SecretFile(Path(folder, f"{name}.json")) for name in BASES)
                yield dataclasses.replace(
                    settings,
                    payments=("cod", *BASES),
                    bkash_file=bkash,
                    nagad_file=nagad,
                    sslcommerz_file=sslcommerz,
                )
            finally:
                gateways.terminate()


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
