"""The command `shop`. Each file beside this one is a command, imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from shop import __version__

COMMANDS = {
    "demo": ("shop.cli.demo", "demo"),
    "migrate": ("shop.cli.serve", "migrate"),
    "refunds": ("shop.cli.refunds", "refunds"),
    "seed": ("shop.cli.seed", "command"),
    "serve": ("shop.cli.serve", "serve"),
    "staff": ("shop.cli.staff", "staff"),
    "verify": ("shop.cli.verify", "verify"),
}


class Commands(click.Group):
    """Finds a command by its name; what the others need is not imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shop")
def main() -> None:
    """The shop of DhakaCart."""
