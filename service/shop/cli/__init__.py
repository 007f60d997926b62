"""The command `shop`. Each file beside this one is a command."""

from __future__ import annotations

import click

from shop import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shop")
def main() -> None:
    """The shop of DhakaCart."""
