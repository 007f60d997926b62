"""Run the rules over what was rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import get_args

import generator.check.catalogue  # noqa: F401  importing it registers the rules
from generator.check.index import Index
from generator.check.policy.meta import STALE_EXEMPTION, UNKNOWN_RULE
from generator.check.rule import Finding, Rule, Scope, rules
from generator.check.view import POD_TEMPLATES, Container, Pod
from generator.problem import Place, Problem
from generator.render.app import App
from generator.render.model import Obj, Rendered

Extra = Callable[[Rendered, date], Iterable[Problem]]
"""Another check of one environment: schemas, versions."""

Asked = tuple[Rule, Callable[..., Iterable[Finding]]]
Found = tuple[Rule, Obj | None, Finding]
ExemptionKey = tuple[str, int]
"""An app's name and the position of an entry in its `exemptions`."""


@dataclass(slots=True)
class Verdict:
    """What the policy rules say of one environment. `used` are the exemptions that exempted something."""

    problems: list[Problem] = field(default_factory=list)
    used: set[ExemptionKey] = field(default_factory=set)


def check(rendered: Rendered, today: date, extra: Iterable[Extra] = ()) -> list[Problem]:
    """Every problem of one environment, sorted. An exemption that it does not need counts as stale."""
    return check_all([rendered], today, extra)


def check_all(environments: Iterable[Rendered], today: date, extra: Iterable[Extra] = ()) -> list[Problem]:
    """Every problem of several environments, sorted; what is wrong alike in several is said once.

    An exemption is stale if none of the environments needs it.
    """
    environments, extra = list(environments), list(extra)
    seen: dict[Problem, list[str]] = {}
    used: set[ExemptionKey] = set()
    for rendered in environments:
        verdict = policy(rendered)
        used |= verdict.used
        more = (problem for ask in extra for problem in ask(rendered, today))
        for problem in dict.fromkeys([*verdict.problems, *more]):
            seen.setdefault(problem, []).append(rendered.environment.name)
    problems = [_in_some(problem, names, len(environments)) for problem, names in seen.items()]
    apps = {app.name: app for rendered in environments for app in rendered.apps}
    problems.extend(_bad_exemptions(apps.values(), used))
    return sorted(problems, key=lambda problem: problem.sort_key)


def _in_some(problem: Problem, names: list[str], of: int) -> Problem:
    """Say which environments a problem is in, unless it is in all or its place says so."""
    if len(names) == of or not problem.subject:
        return problem
    return replace(problem, subject=f"{problem.subject} ({', '.join(names)})")


def policy(rendered: Rendered) -> Verdict:
    """Apply the policy rules to one environment."""
    index = Index(rendered)
    verdict = Verdict()
    exemptions = _exemptions(rendered.apps)
    for rule, obj, finding in _findings(index):
        app = _app_of(obj, finding, index)
        used = _exempting(exemptions.get((app, rule.code)), obj)
        if used is not None:
            verdict.used.add((app, used))
        else:
            verdict.problems.append(_problem(rule, obj, finding))
    return verdict


def _findings(index: Index) -> Iterator[Found]:
    """Every finding, with its rule and object."""
    asked = _by_scope()
    for rule, ask in asked["environment"]:
        for finding in ask(index):
            yield rule, finding.obj, finding
    for kind, objects in index.kinds.items():
        chosen = _concerned(asked["object"], kind)
        for obj in objects:
            yield from _each(chosen, obj, obj, index)
    pod_rules = {kind: _concerned(asked["pod"], kind) for kind in POD_TEMPLATES}
    for pod in index.pods:
        yield from _each(pod_rules[pod.obj.kind], pod, pod.obj, index)
        for container in pod.containers:
            yield from _each(asked["container"], container, pod.obj, index)


def _by_scope() -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {scope: [] for scope in get_args(Scope)}
    for rule in rules():
        if rule.check is not None:
            found[rule.scope].append((rule, rule.check))
    return found


def _concerned(asked: list[Asked], kind: str) -> list[Asked]:
    return [(rule, ask) for rule, ask in asked if not rule.kinds or kind in rule.kinds]


def _each(asked: list[Asked], subject: Obj | Pod | Container, obj: Obj, index: Index) -> Iterator[Found]:
    for rule, ask in asked:
        for finding in ask(subject, index):
            yield rule, obj, finding


def _problem(rule: Rule, obj: Obj | None, finding: Finding) -> Problem:
    source = Place(obj.source) if obj else None
    also = finding.also
    if finding.where is not None and source is not None and finding.where != source:
        also = (*also, source)
    subject = str(obj.identity) if obj else finding.app
    return Problem(
        rule.code, finding.message, finding.hint, finding.where or source, subject, rule.severity, also
    )


def _app_of(obj: Obj | None, finding: Finding, index: Index) -> str:
    """The app whose exemptions count: for an Application of Argo CD, the app of that name."""
    if obj is None:
        return finding.app
    if obj.kind == "Application" and obj.name in index.apps:
        return obj.name
    return obj.app


def _exemptions(apps: Iterable[App]) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """(app, code) → (position, object) of the exemptions."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for app in apps:
        for position, exemption in enumerate(app.exemptions):
            found.setdefault((app.name, exemption.rule), []).append((position, exemption.object))
    return found


def _exempting(candidates: list[tuple[int, str]] | None, obj: Obj | None) -> int | None:
    """The position of the exemption that covers `obj`, if one does. Without an object: `Values/*`."""
    if not candidates:
        return None
    names = (f"{obj.kind}/{obj.name}", f"{obj.kind}/*") if obj else ("Values/*",)
    return next((position for position, name in candidates if name in names), None)


def _bad_exemptions(apps: Iterable[App], used: set[ExemptionKey]) -> Iterator[Problem]:
    known = {rule.code: rule.check for rule in rules()}
    for app in apps:
        for position, exemption in enumerate(app.exemptions):
            if exemption.rule not in known:
                rule, message, key = UNKNOWN_RULE, f"there is no rule {exemption.rule}", "rule"
                hint = "docs/rules/README.md lists them"
            elif known[exemption.rule] is not None and (app.name, position) not in used:
                rule, key = STALE_EXEMPTION, "object"
                message = f"nothing needs this exemption of {exemption.object} from {exemption.rule}"
                hint = "remove it, or correct `rule` or `object`"
            else:
                continue
            where = app.document.place(("exemptions", position, key))
            yield Problem(rule.code, message, hint, where, f"app {app.name}")
