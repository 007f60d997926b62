"""`dhakacart completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the shell's completion script.

    \b
    Examples:
      source <(dhakacart completion bash)
      dhakacart completion fish > ~/.config/fish/completions/dhakacart.fish
    """
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(context.find_root().command, {}, "dhakacart", "_DHAKACART_COMPLETE").source())
    return 0
