"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from generator.cli.console import Console

pass_console = click.make_pass_decorator(Console)


def complete_environment(
    context: click.Context,  # noqa: ARG001 - click's signature
    parameter: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Names of the environments of the checkout around the current folder."""
    here = Path.cwd()
    folder = next((f / "environments" for f in (here, *here.parents) if (f / "environments").is_dir()), None)
    names = sorted(path.stem for path in folder.glob("*.yaml")) if folder else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def environment_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--env NAME`, several times; none means all."""
    return click.option(
        "-e",
        "--env",
        "environments",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_environment,
        help="Only this environment; may be given several times (default: all).",
    )(function)


def quiet_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--quiet` after the command too, where people look for it first."""

    def hush(context: click.Context, _: click.Parameter, quiet: bool) -> None:
        console = context.find_object(Console)
        if quiet and console:
            console.options = replace(console.options, quiet=True)

    return click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=hush, help="Print problems only."
    )(function)


def format_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--format`, text unless told."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help="How the answer looks: text for people, json for machines.",
    )


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
