"""The command `dhakacart`: thin; every command asks the rooms and prints what they say."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from pathlib import Path

import click

from generator.cli.console import Console, Options
from generator.problem import ProblemsError

COMMANDS = {
    "render": "generator.cli.render",
    "validate": "generator.cli.validate",
    "explain": "generator.cli.explain",
    "schema": "generator.cli.generated",
    "docs": "generator.cli.generated",
    "facts": "generator.cli.facts",
    "fetch-schemas": "generator.cli.schemas",
    "new-app": "generator.cli.scaffold",
    "new-env": "generator.cli.scaffold",
    "completion": "generator.cli.completion",
}
COULD_NOT_RUN = 2
INTERRUPTED = 130


class LazyGroup(click.Group):
    """Imports a command's module only when it is called: `--help` and completion stay instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 clean, 1 problems or drift found, 2 could not run (usage, broken input).",
)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help="The checkout (default: the one you stand in).",
)
@click.option("-q", "--quiet", is_flag=True, help="Print problems only.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto respects NO_COLOR and pipes.",
)
@click.version_option(package_name="dhakacart-platform", message="%(version)s")
@click.pass_context
def cli(context: click.Context, root: Path | None, quiet: bool, color: str) -> None:
    """One typed config per environment becomes Kubernetes and Argo CD manifests, checked.

    \b
    Examples:
      dhakacart render                                  render and check all environments into clusters/
      dhakacart render --env prod --check               is clusters/prod what it should be?
      dhakacart validate --format github                annotations for a pull request
      dhakacart explain prod shop.backend.replicas.max  a value, its origin, and what it reaches
    """
    context.obj = Console(Options(root, quiet, color))


def main() -> None:
    """Run the command; whatever happens, a user sees words and never a traceback."""
    gc.set_threshold(100_000)  # objects are made in bulk and kept: looking for cycles in them finds none
    try:
        status = cli.main(standalone_mode=False)
    except ProblemsError as error:
        Console.current().problems(error.problems)
        status = COULD_NOT_RUN
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = COULD_NOT_RUN
    except Exception as error:
        status = _own_defect(error)
    sys.exit(status or 0)


def _own_defect(error: Exception) -> int:
    if os.environ.get("DHAKACART_DEBUG"):
        traceback.print_exc()
    click.echo(
        f"dhakacart: a defect in this program, not in your input: {type(error).__name__}: {error}\n"
        "Nothing was written. Run it again with DHAKACART_DEBUG=1 and report what it prints.",
        err=True,
    )
    return COULD_NOT_RUN
