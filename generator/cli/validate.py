"""`dhakacart validate`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from generator.check.kubeconform import check_with_kubeconform
from generator.cli.common import counted, environment_option, format_option, pass_console, quiet_option
from generator.cli.console import Console
from generator.workflow import build


@click.command()
@environment_option
@format_option("text", "json", "github")
@quiet_option
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day that support and end-of-life dates are held against (default: today).",
)
@pass_console
def validate(console: Console, environments: tuple[str, ...], output: Any, today: datetime | None) -> int:
    """Check everything and write nothing: config, schemas, policy, chart values, versions.

    kubeconform runs too where it is on the PATH (`make tools` installs it).

    \b
    Examples:
      dhakacart validate
      dhakacart validate --env prod --format json
      dhakacart validate --format github          annotations in a pull request
      dhakacart validate --today 2027-03-01       what will have run out of support by then?
    """
    console.format = output
    repository = console.repository
    built = build(repository, environments, (today or datetime.now(UTC)).date())
    second_opinion = [check_with_kubeconform(repository, one) for one in built.rendered]
    problems = [*built.problems, *(problem for found in second_opinion for problem in found or ())]
    console.problems(problems)
    errors = sum(problem.severity == "error" for problem in problems)
    objects = sum(len(one.everything) for one in built.rendered)
    tools = "" if None in second_opinion else " (kubeconform agrees)"
    if errors:
        console.say(f"{counted(errors, 'error')} in {counted(len(built.rendered), 'environment')}")
    else:
        console.say(
            f"{counted(objects, 'object')} in {counted(len(built.rendered), 'environment')}: valid{tools}"
        )
    return int(errors > 0)
