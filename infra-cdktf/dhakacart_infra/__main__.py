"""`python -m dhakacart_infra`: synthesize the stacks, or say whether that is due."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from dhakacart_infra.inputs import ORDER, ROOT, inputs_digest, program_digest, recorded
from dhakacart_infra.output import folder_of, write
from generator.config.infrastructure import Infrastructure, infrastructure
from generator.config.load import load_environments
from generator.problem import ProblemsError

EPILOG = """\b
Examples:
  make infra                                         synthesize what has changed
  make infra ARGS=--force                            all of it again
  PYTHONPATH=.:infra-cdktf .venv/bin/python -m dhakacart_infra stale

\b
Exit status: 0 done, or nothing to do; 1 `stale` found something to do; 2 an environment file is wrong.
"""

root_option = click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False, exists=True), default=ROOT, hidden=True
)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """environments/ → clusters/<env>/terraform/<stack>/cdk.tf.json, by CDKTF."""


@main.command()
@root_option
def stale(root: Path) -> None:
    """Say which environments' stacks are older than what they are made from. Starts no jsii."""
    late = [each.name for each, _ in _late(root)]
    if late:
        click.echo(f"infrastructure of {', '.join(late)} is to be synthesized")
    sys.exit(1 if late else 0)


@main.command()
@root_option
@click.option("--force", is_flag=True, help="Also what is up to date.")
def synth(root: Path, *, force: bool) -> None:
    """Synthesize the stacks that are out of date, all in one process."""
    begun = time.monotonic()
    due = _due(root) if force else _late(root)
    if not due:
        click.echo("infrastructure: nothing to do")
        return
    click.echo(f"infrastructure of {', '.join(each.name for each, _ in due)}: about ten seconds …", err=True)
    from dhakacart_infra.app import synthesize  # starts jsii

    with tempfile.TemporaryDirectory(prefix="dhakacart-infra-") as scratch:
        made = synthesize([each for each, _ in due], Path(scratch))
    for each, digest in due:
        stacks = {lifecycle: made[each.name, lifecycle] for lifecycle in ORDER}
        told = write(folder_of(root, each.name), stacks, digest)
        click.echo(f"{each.name}: {len(stacks)} stacks, {', '.join(told) or 'nothing changed'}")
    click.echo(f"synthesized, {time.monotonic() - begun:.1f} s")


def _due(root: Path) -> list[tuple[Infrastructure, str]]:
    """Every environment, and the digest of its inputs."""
    try:
        loaded = load_environments(root / "environments", root)
    except ProblemsError as error:
        click.echo("\n".join(str(problem) for problem in error.problems), err=True)
        sys.exit(2)
    program = program_digest()
    everything = [infrastructure(each.environment) for each in loaded]
    return [(each, inputs_digest(each, program)) for each in everything]


def _late(root: Path) -> list[tuple[Infrastructure, str]]:
    return [(each, digest) for each, digest in _due(root) if recorded(folder_of(root, each.name)) != digest]


if __name__ == "__main__":
    main(prog_name="python -m dhakacart_infra")
