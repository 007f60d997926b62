"""`python -m verify`: Terraform over the committed stacks, validated or planned."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from dhakacart_infra.inputs import ORDER, ROOT

from verify.plans import Plan, as_json, plan_of, table
from verify.terraform import FailedError, Folder, MissingError, executable, validate_all
from verify.tree import Key, NoStacksError, Stack, committed, copy, environments

EPILOG = """\b
Examples:
  make infra-validate                          every stack of every environment
  make infra-plan ENV=prod                     against the account, with your credentials of AWS
  make infra-plan ENV=prod ARGS=--offline      into an empty account that a moto server plays
  make infra-plan ENV=prod ARGS="--format json"

\b
Exit status: 0 done; 1 a stack is not valid, or could not be planned; 2 no Terraform, or no such stacks.
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """clusters/<env>/terraform/<stack>/cdk.tf.json, by Terraform itself."""


@main.command()
def validate() -> None:
    """`terraform validate` for every stack of every environment."""
    with _scratch() as scratch:
        stacks = {
            key: stack for name in environments(ROOT) for key, stack in committed(ROOT, name, ORDER).items()
        }
        click.echo(f"{len(stacks)} stacks, ten seconds …", err=True)
        found = validate_all(stacks, scratch)
    wrong = {key: errors for key, errors in found.items() if errors}
    for (environment, stack), errors in wrong.items():
        for error in errors:
            click.echo(f"{environment}/{stack}: {error}")
    click.echo(f"{len(found) - len(wrong)} stacks are valid, {len(wrong)} are not")
    sys.exit(1 if wrong else 0)


@main.command()
@click.argument("environment")
@click.option("--offline", is_flag=True, help="Into an empty account that a moto server plays.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def plan(environment: str, *, offline: bool, form: str) -> None:
    """What applying ENVIRONMENT's stacks would add, change and destroy. Nothing is locked or written."""
    with _scratch() as scratch:
        stacks = committed(ROOT, environment, ORDER)
        plans = _rehearsed(environment, stacks, scratch) if offline else _planned(stacks, scratch)
    click.echo(json.dumps(as_json(plans), indent=2) if form == "json" else table(plans))
    sys.exit(1 if any(each.problem for each in plans) else 0)


def _planned(stacks: dict[Key, Stack], scratch: Path) -> list[Plan]:
    plans = []
    for (environment, lifecycle), stack in stacks.items():
        click.echo(f"{environment}/{lifecycle} …", err=True)
        folder = Folder(copy(stack, scratch / lifecycle))
        try:
            plans.append(plan_of(environment, lifecycle, folder.init().plan("-lock=false")))
        except FailedError as error:
            plans.append(Plan(environment, lifecycle, problem=str(error)))
    return plans


def _rehearsed(environment: str, stacks: dict[Key, Stack], scratch: Path) -> list[Plan]:
    from verify.aws import moto  # only for this: boto3 is not what plans against an account need
    from verify.rehearsal import account_of, rehearse

    click.echo("what a stack needs is applied before it is planned: three minutes …", err=True)
    of = {lifecycle: stack for (_, lifecycle), stack in stacks.items()}
    with moto(account_of(of)) as server:
        done = rehearse(environment, of, scratch, server, told=lambda line: click.echo(line, err=True))
    return [each.plan for each in done.values()]


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for the run; what people can mend ends it with a message and status 2."""
    try:
        executable()
        with tempfile.TemporaryDirectory(prefix="dhakacart-verify-") as scratch:
            yield Path(scratch)
    except (MissingError, NoStacksError, FailedError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main(prog_name="python -m verify")
