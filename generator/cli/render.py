"""`dhakacart render`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from generator.check.versions import CLOCK_CODES
from generator.cli.common import counted, environment_option, format_option, pass_console, quiet_option
from generator.cli.console import Console
from generator.output.changes import Changes
from generator.problem import Problem, ProblemsError
from generator.repository import Repository
from generator.workflow import Build, build, plan_all, refusals_of, write_all

WATCH_SECONDS = 0.3


@click.command()
@environment_option
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where clusters/ is not what it should be.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change, exit 0.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.option(
    "--watch", is_flag=True, help="Render again whenever environments/ or apps/ change; end with Ctrl-C."
)
@format_option("text", "json")
@quiet_option
@pass_console
def render(
    console: Console,
    environments: tuple[str, ...],
    check: bool,
    dry_run: bool,
    force: bool,
    watch: bool,
    output: Any,
) -> int:
    """Render environments/*.yaml and apps/ into clusters/, after every check has passed.

    \b
    Examples:
      dhakacart render                        all environments
      dhakacart render --env prod --dry-run   what would change, file by file
      dhakacart render --check                for CI: exit 1 on drift
      dhakacart render --watch                while you edit
    """
    if check and (dry_run or watch or force):
        raise click.UsageError("--check goes alone: it writes nothing and only tells")
    console.format = output
    once = Once(console, environments, write=not (check or dry_run), force=force, drift_fails=check)
    return _watch(console, once) if watch else once.run()


class Once:
    """One run with its options."""

    def __init__(
        self, console: Console, names: Sequence[str], *, write: bool, force: bool, drift_fails: bool
    ) -> None:
        self.console, self.names, self.write = console, names, write
        self.force, self.drift_fails = force, drift_fails

    def run(self) -> int:
        """Exit status: 0 done or nothing to do, 1 problems or drift."""
        started = time.perf_counter()
        repository = self.console.repository
        built = demote_clock(build(repository, self.names, datetime.now(UTC).date()))
        if built.errors:
            self.console.problems(built.problems)
            return 1
        planned = plan_all(repository, built.rendered)
        if self.write:
            write_all(planned, force=self.force)
        elif self.console.format == "text":
            self.console.problems(refusals_of(planned))
        self._report(repository, built, [changes for changes, _ in planned], time.perf_counter() - started)
        return int(self.drift_fails and any(not changes.empty for changes, _ in planned))

    def _report(self, repository: Repository, built: Build, changes: list[Changes], seconds: float) -> None:
        names = [one.environment.name for one in built.rendered]
        if self.console.format == "json":
            self.console.result({name: as_json(change) for name, change in zip(names, changes, strict=True)})
            return
        if built.problems:
            self.console.say(f"{counted(len(built.problems), 'warning')}: `dhakacart validate` shows them")
        pairs = list(zip(built.rendered, changes, strict=True))
        folders = [repository.clusters / one.environment.name for one in built.rendered]
        lines = [
            line
            for folder, change in zip(folders, changes, strict=True)
            for line in change_lines(folder, repository.root, change)
        ]
        if lines:
            self.console.say("\n".join(lines))
        verb = "rendered" if self.write else "compared"
        for one, change in pairs:
            objects = counted(len(one.everything), "object")
            apps = counted(len(one.apps), "app")
            self.console.say(f"{one.environment.name}: {verb} {objects} of {apps}, {summary(change)}")
        self.console.say(f"all checks passed, {seconds:.2f} s")


def demote_clock(built: Build) -> Build:
    """The calendar alone never stops a render: during a sale, a version's end of support is a warning."""

    def demoted(problem: Problem) -> Problem:
        return replace(problem, severity="warning") if problem.code in CLOCK_CODES else problem

    return replace(built, problems=tuple(demoted(problem) for problem in built.problems))


def change_lines(folder: Path, root: Path, changes: Changes) -> list[str]:
    """One line a file that changes, with a sign."""
    shown = folder.relative_to(root).as_posix()
    signs = (
        ("+", "green", changes.added),
        ("~", "yellow", changes.changed),
        ("!", "magenta", changes.edited),
        ("-", "red", changes.removed),
    )
    return [click.style(f"{sign} {shown}/{path}", fg=color) for sign, color, paths in signs for path in paths]


def summary(changes: Changes) -> str:
    """`3 added, 1 changed, 0 removed` or `nothing changed`."""
    if changes.empty:
        return "nothing changed"
    edited = f", {len(changes.edited)} edited by hand" if changes.edited else ""
    return (
        f"{len(changes.added)} added, {len(changes.changed)} changed, {len(changes.removed)} removed{edited}"
    )


def as_json(changes: Changes) -> dict[str, Any]:
    """For machines: paths by what happens to them; `edited` by hand and `inTheWay` stop a run that writes."""
    return {
        "added": list(changes.added),
        "changed": list(changes.changed),
        "removed": list(changes.removed),
        "edited": list(changes.edited),
        "inTheWay": dict(changes.foreign),
    }


def _watch(console: Console, once: Once) -> int:
    repository = console.repository
    seen: object = None
    while True:
        now = _state(repository)
        if now != seen:
            seen = now
            try:
                once.run()
            except ProblemsError as error:
                console.problems(error.problems)
            console.say(f"watching {repository.environments.name}/ and {repository.apps.name}/ (Ctrl-C ends)")
        time.sleep(WATCH_SECONDS)


def _state(repository: Repository) -> frozenset[tuple[str, int, int]]:
    """Names, times and sizes of everything that rendering reads."""
    found = set()
    for folder in (repository.environments, repository.apps):
        for path in folder.rglob("*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # an editor's temporary file, gone again
                continue
            found.add((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)
