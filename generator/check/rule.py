"""Rules: one function each, under a stable code, its docstring the words of its documentation page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from generator.problem import Place, Severity

if TYPE_CHECKING:
    from generator.check.index import Index
    from generator.check.view import Container, Pod
    from generator.render.model import Obj

Scope = Literal["container", "pod", "object", "environment", "other"]
CODE = re.compile(r"^DC-[A-Z0-9]+-\d{3}$")


class Finding(NamedTuple):
    """What a rule says of one subject; the runner adds code, severity and, unless given, the place.

    `where` is the line of the environment file if the config caused it. `obj` is the object meant, which
    only rules over the whole environment need to say. `app` is the app meant where there is no object.
    """

    message: str
    hint: str = ""
    where: Place | None = None
    obj: Obj | None = None
    app: str = ""
    also: tuple[Place, ...] = ()


Findings = Iterator[Finding]
ContainerCheck = Callable[["Container", "Index"], Iterable[Finding]]
PodCheck = Callable[["Pod", "Index"], Iterable[Finding]]
ObjectCheck = Callable[["Obj", "Index"], Iterable[Finding]]
EnvironmentCheck = Callable[["Index"], Iterable[Finding]]
Check = TypeVar("Check", bound=Callable[..., Iterable[Finding]])


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `check` is None for one that another part of the program carries out and only documents here.

    `doc` says what is asked in its first paragraph, then has paragraphs that start with `Why:`, `Fix:` and
    `Sources:`. `kinds` are the kinds that an object rule looks at; empty means all.
    """

    code: str
    title: str
    doc: str
    scope: Scope = "other"
    severity: Severity = "error"
    kinds: tuple[str, ...] = ()
    check: Callable[..., Iterable[Finding]] | None = None


_rules: dict[str, Rule] = {}


def rules() -> tuple[Rule, ...]:
    """All rules registered so far, by code. Importing `generator.check.policy` registers the policy rules."""
    return tuple(sorted(_rules.values(), key=lambda rule: rule.code))


def register(code: str, title: str, doc: str, severity: Severity = "error") -> Rule:
    """Give a code that another part of the program reports a title and a documentation page."""
    return _add(Rule(code, title, cleandoc(doc), severity=severity))


def container_rule(
    code: str, title: str, severity: Severity = "error"
) -> Callable[[ContainerCheck], ContainerCheck]:
    """A rule called with each container of each pod template, init containers included."""
    return _decorator(code, title, "container", severity)


def pod_rule(
    code: str, title: str, severity: Severity = "error", kinds: tuple[str, ...] = ()
) -> Callable[[PodCheck], PodCheck]:
    """A rule called with each pod template, or only those of `kinds` (Deployment, Job…)."""
    return _decorator(code, title, "pod", severity, kinds)


def object_rule(
    code: str, title: str, severity: Severity = "error", kinds: tuple[str, ...] = ()
) -> Callable[[ObjectCheck], ObjectCheck]:
    """A rule called with each object, or only those of `kinds`."""
    return _decorator(code, title, "object", severity, kinds)


def environment_rule(
    code: str, title: str, severity: Severity = "error", kinds: tuple[str, ...] = ()
) -> Callable[[EnvironmentCheck], EnvironmentCheck]:
    """A rule called once with everything; it must take time in proportion to the number of objects.

    `kinds` are the kinds that its findings are about, for its page; `Values` stands for a chart's values,
    `Environment` for the environment file, which has no exemptions.
    """
    return _decorator(code, title, "environment", severity, kinds)


def _decorator(
    code: str, title: str, scope: Scope, severity: Severity, kinds: tuple[str, ...] = ()
) -> Callable[[Check], Check]:
    def decorate(check: Check) -> Check:
        _add(Rule(code, title, cleandoc(check.__doc__ or ""), scope, severity, kinds, check))
        return check

    return decorate


def _add(rule: Rule) -> Rule:
    if not CODE.fullmatch(rule.code):
        raise ValueError(f"{rule.code} is no rule code: write DC-AREA-nnn")
    if rule.code in _rules:
        raise ValueError(f"two rules are called {rule.code}")
    _rules[rule.code] = rule
    return rule
