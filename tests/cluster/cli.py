"""`python -m cluster`: a test bed to look around in. `make cluster` and its kin call it."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from apiserver.control_plane import KubectlError
from apiserver.process import ProcessError

from cluster import applications, bootstrap, changes, repository, supervisor, table
from cluster import environment as environments
from cluster import record as recording
from cluster.api import ApiError
from cluster.bed import ROOT
from cluster.charts import Charts
from cluster.errors import BedError
from cluster.interrupts import Interrupted, Interrupts
from cluster.repository import Repository
from cluster.supervisor import Attached, Home, State

BROKEN = 2
INTERRUPTED = 130

EPILOG = """
\b
Examples:
  make cluster                     dev, from nothing to Synced and Healthy
  make cluster ENV=prod            another environment; several may be up at once
  make cluster-sync                what Argo CD would make of your edits, object by object
  make cluster-down ENV=prod       end it
  python -m cluster status --format json

\b
Exit status: 0 all is well, 1 an Application is not, or a program died, 2 it could not run, 130 Ctrl-C.
"""

environment_argument = click.argument("environment", default="dev")


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=ROOT,
    help="The checkout whose tree is meant (default: the one that this is part of).",
)
@click.pass_context
def main(context: click.Context, root: Path) -> None:
    """A whole cluster on this machine, without containers, in which Argo CD syncs the committed tree."""
    context.obj = root


@main.command()
@environment_argument
@click.option("--timeout", default=240.0, show_default=True, help="Seconds to wait for all Applications.")
def up(environment: str, timeout: float) -> None:
    """Start a test bed, bootstrap it as docs/bootstrap.md says, and wait until all is Synced and Healthy.

    It stays up in the background until `down`. Ctrl-C before that ends everything.
    """
    home = _home(environment)
    with _speaking():
        if home.owner is not None:
            raise BedError(
                f"{environment} is up already: `make cluster-sync ENV={environment}` to try an edit, "
                f"`make cluster-down ENV={environment}` to end it"
            )
        _say_uncommitted(home)
        interrupts = Interrupts()
        interrupts.install()
        pid = 0
        try:
            with interrupts.held():
                pid = supervisor.start(home)
            good = _bring_up(home, pid, timeout)
        except BaseException as error:
            with interrupts.held(), contextlib.suppress(Interrupted):
                _end(home, pid, quiet=not isinstance(error, KeyboardInterrupt))
            raise
        finally:
            interrupts.restore()
    _farewell(home, good=good)


@main.command()
@environment_argument
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait for all Applications.")
def sync(environment: str, timeout: float) -> None:
    """Commit the work tree's clusters/<env> to the test bed's repository, and show what Argo CD changes.

    The objects themselves are compared, before and after, field by field.
    """
    home = _home(environment)
    with _speaking():
        bed, state = supervisor.attach(home)
        git = Repository(home.root, home.folder, bed.environment, _charts(state)).open()
        files = git.take_work_tree()
        if not files:
            click.echo(f"clusters/{environment} is what the cluster has: nothing to do")
            return
        click.echo(f"{len(files)} files differ from what the cluster has")
        before = changes.look(bed.api)
        good = _watch_sync(bed, git, timeout)
        _show_changes(changes.compare(before, changes.look(bed.api)))
    sys.exit(0 if good else 1)


@main.command()
@environment_argument
def down(environment: str) -> None:
    """End a test bed, also the rest of one that was killed."""
    home = _home(environment)
    with _speaking():
        if home.owner is None and not home.folder.exists():
            click.echo(f"{environment} is not up")
            return
        started = time.monotonic()
        left = supervisor.stop(home)
        if left:
            click.echo(f"its process had been killed; ended what was left: {', '.join(left)}")
        click.echo(f"{environment} is down, {time.monotonic() - started:.1f} s")


@main.command()
@environment_argument
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def status(environment: str, form: str) -> None:
    """Say whether a test bed is up, and how its Applications are."""
    home = _home(environment)
    with _speaking():
        said = _status(home)
    if form == "json":
        click.echo(json.dumps(said, indent=2))
    elif said["phase"] != "up":
        click.echo(f"{environment} is not up" + (f": {said['error']}" if said["error"] else ""))
    else:
        bed, _ = supervisor.attach(home)
        for line in table.lines(applications.all_of(bed.api).values(), colour=table.colourful(sys.stdout)):
            click.echo(line)
        click.echo(f"\nexport KUBECONFIG={_relative(home, bed.kubeconfig)}")
    sys.exit(0 if said["good"] else 1)


@main.command()
@click.argument("environment", default="prod")
def record(environment: str) -> None:
    """Run `up` and `down`, and put what they print into docs/cluster.md."""
    with _speaking():
        recording.record(click.get_current_context().obj, environment)


@main.command(hidden=True)
@environment_argument
def supervise(environment: str) -> None:
    """Hold a test bed until ended."""
    sys.exit(supervisor.supervise(_home(environment)))


def _bring_up(home: Home, pid: int, timeout: float) -> bool:
    started = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - started:6.1f} s  {text}")

    click.echo(f"{home.environment}: a cluster of plain processes, in {_relative(home, home.folder)}")
    state = supervisor.wait_up(home, pid, say)
    bed, _ = supervisor.attach(home)
    say(f"up: {len(bed.nodes.names())} nodes in {len(bed.environment.zones)} zones")
    git = Repository(home.root, home.folder, bed.environment, _charts(state))
    commit = git.create()
    say(f"clusters/{home.environment} as committed is {commit[:7]} in a repository of its own")
    for line in repository.describe(git.held_back):
        say(line)
    bootstrap.run(bed, git, say)
    say("handed over to Argo CD")
    return _watch_until_good(bed, git, timeout, started)


def _watch_until_good(
    bed: Attached, git: Repository, timeout: float, started: float, *, whole: bool = True
) -> bool:
    live = table.Live(git.held_back)
    try:
        found = applications.wait_healthy(bed, timeout=timeout, on_look=live.show)
    except AssertionError as error:
        click.echo("\n".join(["", str(error), "warnings:", *applications.warnings(bed.api)]), err=True)
        return False
    if whole and not live.terminal:
        click.echo("\n".join(["", *table.lines(found.values(), git.held_back)]))
    seconds = time.monotonic() - started
    click.echo(f"\nall {len(found)} Applications Synced and Healthy, {seconds:.0f} s")
    return True


def _watch_sync(bed: Attached, git: Repository, timeout: float) -> bool:
    """Have Argo CD look, and wait until it has done everything."""
    applications.refresh(bed.api)
    bed.wait_until(lambda: applications.is_refreshed(bed.api), "Argo CD looks at Git", timeout)
    return _watch_until_good(bed, git, timeout, time.monotonic(), whole=False)


def _show_changes(found: list[changes.Change]) -> None:
    signs = {"added": "+", "removed": "-", "changed": "~", "made anew": "↻"}
    for change in found:
        kind, namespace, name = change.key
        click.echo(f"{signs[change.what]} {kind} {namespace + '/' if namespace else ''}{name}")
        for line in change.fields:
            click.echo(f"    {line}")
    click.echo(f"{len(found)} objects differ" if found else "no object differs")


def _status(home: Home) -> dict[str, object]:
    state = home.read() or State("ended")
    phase = state.phase if home.owner is not None or state.phase == "failed" else "ended"
    said: dict[str, object] = {
        "environment": home.environment,
        "phase": phase,
        "error": state.error,
        "process": home.owner,
        "kubeconfig": None,
        "programs": {},
        "applications": [],
        "good": False,
    }
    if phase == "up":
        bed, _ = supervisor.attach(home)
        found = applications.all_of(bed.api)
        said |= {
            "kubeconfig": str(bed.kubeconfig),
            "programs": bed.programs(),
            "applications": [asdict(one) | {"good": one.good} for one in found.values()],
            "good": bool(found) and all(one.good for one in found.values()),
        }
    return said


def _charts(state: State) -> Charts | None:
    return Charts(Path(state.charts), state.charts_port) if state.charts else None


def _home(environment: str) -> Home:
    root: Path = click.get_current_context().obj
    with _speaking():
        environments.read(root, environment)
    return Home(environment, root)


def _say_uncommitted(home: Home) -> None:
    files = repository.uncommitted(home.root, home.environment)
    if files:
        shown = ", ".join(files[:3]) + (", …" if len(files) > 3 else "")
        click.secho(
            f"clusters/{home.environment} has {len(files)} uncommitted files ({shown}): the cluster gets "
            f"what is committed. `make cluster-sync ENV={home.environment}` brings them in afterwards.",
            fg="yellow",
            err=True,
        )


def _end(home: Home, pid: int, *, quiet: bool) -> None:
    if not quiet:
        click.echo("\nending everything …", err=True)
    if pid:
        supervisor.end(pid)
    with contextlib.suppress(BedError):
        supervisor.stop(home)


def _farewell(home: Home, *, good: bool) -> None:
    folder = _relative(home, home.folder)
    click.echo(f"\n  export KUBECONFIG={folder}/kubeconfig     then kubectl as administrator")
    click.echo(f"  make cluster-sync ENV={home.environment}           after an edit and `make render`")
    click.echo(f"  make cluster-down ENV={home.environment}           when done; logs are in {folder}")
    sys.exit(0 if good else 1)


def _relative(home: Home, path: Path) -> str:
    return str(path.relative_to(home.root)) if path.is_relative_to(home.root) else str(path)


@contextlib.contextmanager
def _speaking() -> Iterator[None]:
    """No traceback for what a person can do something about."""
    try:
        yield
    except (BedError, ProcessError, ApiError, KubectlError, OSError) as error:
        click.secho(f"cluster: {error}", fg="red", err=True)
        sys.exit(1 if isinstance(error, ProcessError) else BROKEN)
    except KeyboardInterrupt:
        click.echo("ended", err=True)
        sys.exit(INTERRUPTED)
