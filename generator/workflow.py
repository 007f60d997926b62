"""The way of a value, end to end: files → environments → objects → problems → trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from generator.argocd import with_argocd
from generator.check.policy.meta import STALE_EXEMPTION
from generator.check.run import check_all
from generator.check.schema import check_schema
from generator.check.values import check_values
from generator.check.versions import check_versions
from generator.config.load import load_environments
from generator.output.changes import Changes, plan, refusals
from generator.output.tree import tree
from generator.output.write import apply_all
from generator.problem import Problem, ProblemsError
from generator.render.apps import load_apps
from generator.render.model import Rendered
from generator.render.render import render
from generator.render.templates import Templates
from generator.repository import Repository


@dataclass(frozen=True, slots=True)
class Build:
    """Every environment asked for, rendered and checked. `problems` are sorted; errors forbid writing."""

    rendered: tuple[Rendered, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are no warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def templates_of(repository: Repository) -> Templates:
    """The templates of `apps/`, compiled ones kept in the cache."""
    return Templates(repository.apps, repository.cache / "templates")


def build(repository: Repository, names: Sequence[str], today: date) -> Build:
    """Render and check the environments `names` (all if empty); ProblemsError where that is impossible."""
    rendered = render_all(repository, names)

    def schemas(one: Rendered, _: date) -> list[Problem]:
        return check_schema(one.everything, one.environment.cluster.version, repository.cache)

    def values(one: Rendered, _: date) -> list[Problem]:
        return check_values(one)

    problems = check_all(rendered, today, (schemas, values, check_versions))
    if names:  # an exemption that these do not need may be needed by the others
        problems = [problem for problem in problems if problem.code != STALE_EXEMPTION.code]
    return Build(rendered, tuple(problems))


def render_all(repository: Repository, names: Sequence[str]) -> tuple[Rendered, ...]:
    """Objects of the environments `names` (all if empty), Argo CD's among them."""
    environments = load_environments(repository.environments, repository.root, names or None)
    apps = load_apps(repository.apps, repository.root)
    templates = templates_of(repository)
    done: list[Rendered] = []
    problems: dict[Problem, None] = {}  # the same template fails alike in every environment: say it once
    for loaded in environments:
        try:
            done.append(with_argocd(render(loaded, apps, templates)))
        except ProblemsError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ProblemsError(list(problems))
    return tuple(done)


def plan_all(repository: Repository, rendered: Iterable[Rendered]) -> list[tuple[Changes, Path]]:
    """What writing would change, with each environment's folder."""
    folders = [(tree(one), repository.clusters / one.environment.name) for one in rendered]
    return [(plan(files, folder), folder) for files, folder in folders]


def refusals_of(planned: Iterable[tuple[Changes, Path]]) -> list[Problem]:
    """What a run that writes would stop at: files edited by hand, and what is in the way."""
    return [problem for changes, folder in planned for problem in refusals(changes, folder)]


def write_all(planned: Sequence[tuple[Changes, Path]], *, force: bool) -> None:
    """Make the trees so: all of them or none."""
    apply_all(planned, force=force)
