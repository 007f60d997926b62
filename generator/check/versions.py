"""Rules about versions: is this Kubernetes known, supported, and what the components are tested on?

They are the only rules that depend on the day, which callers give: rendering never does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from generator.config.environment import Environment
from generator.facts import charts, components, kubernetes, prices
from generator.facts.charts import Chart
from generator.facts.components import Tested
from generator.facts.kubernetes import KubernetesVersion
from generator.facts.source import release
from generator.problem import Place, Problem, Severity
from generator.render.app import App
from generator.render.model import Rendered

Check = Callable[[Rendered, date], Iterable[Problem]]

UNKNOWN, ENDED, ENDING, UNTESTED = "DC-K8S-001", "DC-K8S-002", "DC-K8S-003", "DC-K8S-004"
CLOCK_CODES = frozenset({ENDED, ENDING})
WARNING_DAYS = 90
DISTRIBUTIONS = {"eks": "Amazon EKS", "k3s": "K3s"}
IMAGE_TAGS = (("image", "tag"), ("global", "image", "tag"))


def known_version(rendered: Rendered, today: date) -> Iterator[Problem]:
    """The version of Kubernetes is one that the facts and the schemas know.

    `cluster.version` is in the facts about Kubernetes, with a release of the cluster's kind (EKS or K3s), and
    the strict JSON Schemas for it are installed.

    Why: without them nothing can be said about its support, and no manifest can be checked against it. A
    version that EKS or K3s does not offer yet cannot be created at all.

    Fix: write a version that the message offers. For a newer one, add it with its source to
    `generator/facts/data/kubernetes.json`, and update the package `kubernetes-validate`.
    """
    environment = rendered.environment
    version, kind = environment.cluster.version, environment.cluster.kind
    fact = kubernetes.versions().get(version)
    if fact is None:
        message = f"Kubernetes {version} is not in the facts"
    elif not fact.offered(kind):
        message = f"no release of {DISTRIBUTIONS[kind]} with Kubernetes {version} is in the facts"
    elif version not in schema_versions():
        message = f"there are no schemas to check Kubernetes {version} with"
    else:
        return
    yield Problem(UNKNOWN, message, _supported(environment, today), _place(rendered))


def supported_version(rendered: Rendered, today: date) -> Iterator[Problem]:
    """The version of Kubernetes is still supported.

    Standard support has not ended: Amazon's dates for EKS, upstream's for K3s. On the date itself it has.

    Why: no more security fixes, or, on EKS, extended support at six times the price, after which Amazon
    upgrades the cluster on a day of its own choosing.

    Fix: upgrade, one minor version at a time, in dev first.
    """
    environment = rendered.environment
    fact = kubernetes.versions().get(environment.cluster.version)
    end = fact.end_of_support(environment.cluster.kind) if fact else None
    if fact and end and today >= end:
        message = _ended(fact, end, today) if environment.cluster.kind == "eks" else _end_of_life(fact, end)
        hint = f"{_supported(environment, today)}; upgrade one minor version at a time"
        yield Problem(ENDED, message, hint, _place(rendered))


def support_lasts(rendered: Rendered, today: date) -> Iterator[Problem]:
    """Support of the version of Kubernetes does not end within 90 days.

    A warning in the last 90 days of standard support (EKS) or of upstream's support (K3s).

    Why: an upgrade takes weeks to try out, and none is wanted in the weeks of a sale.

    Fix: plan the upgrade now, one minor version at a time, in dev first.
    """
    environment = rendered.environment
    fact = kubernetes.versions().get(environment.cluster.version)
    end = fact.end_of_support(environment.cluster.kind) if fact else None
    if fact and end and 0 < (end - today).days <= WARNING_DAYS:
        whose = "standard support of" if environment.cluster.kind == "eks" else "support of"
        message = f"{whose} Kubernetes {fact.version} ends on {end}, in {_days((end - today).days)}"
        hint = f"plan the upgrade: {_supported(environment, today, newer_than=fact.version)}"
        yield Problem(ENDING, message, hint, _place(rendered), severity="warning")


def tested_version(rendered: Rendered, today: date) -> Iterator[Problem]:
    """Every component is tested on the version of Kubernetes.

    The release of each chart's program is tested by its makers on `cluster.version`. Components that publish
    no range, and exempted ones, are passed over. A newer Kubernetes than tested is an error, an older one a
    warning.

    Why: a newer Kubernetes has removed things that a component may still use; an older one only lacks what
    it may want. The oldest pin decides how new the cluster can be, and this rule says which one that is.

    Fix: pin a chart whose program is tested on this version, or stay on the version that the message names.
    To accept it, exempt `Chart/<chart>` from this rule in the app's `app.yaml`, with the reason.
    """
    del today  # what was tested does not change with the day
    for app in rendered.apps:
        chart = charts.charts().get(app.chart or "")
        if chart is None or _exempted(app, chart):
            continue
        running = running_release(chart, rendered.values.get(app.name, {}))
        fact = components.tested(chart.component, running)
        if fact and fact.known:
            yield from _untested(rendered, app, chart, running, fact)


RULES: tuple[tuple[str, Check], ...] = (
    (UNKNOWN, known_version),
    (ENDED, supported_version),
    (ENDING, support_lasts),
    (UNTESTED, tested_version),
)


def check_versions(rendered: Rendered, today: date) -> list[Problem]:
    """Every problem that these rules find on the day `today`."""
    return [problem for _, check in RULES for problem in check(rendered, today)]


def running_release(chart: Chart, values: Mapping[str, Any]) -> str:
    """The release of the chart's program: its image's tag where the values set one that is a version."""
    for path in IMAGE_TAGS:
        found: Any = values
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        tag = found.partition("@")[0] if isinstance(found, str) else ""
        if _is_release(tag):
            return tag.removeprefix("v")
    return chart.app_version


@cache
def schema_versions() -> frozenset[str]:
    """Minor versions whose strict schemas the package `kubernetes-validate` carries (read as files only)."""
    spec = find_spec("kubernetes_validate")
    folders = spec.submodule_search_locations if spec else None
    found = (path for folder in folders or () for path in Path(folder).glob("*/v1.*-local-strict"))
    return frozenset(path.name.removeprefix("v").rpartition(".")[0] for path in found)


def _untested(rendered: Rendered, app: App, chart: Chart, running: str, fact: Tested) -> Iterator[Problem]:
    version = rendered.environment.cluster.version
    if fact.covers(version):
        return
    severity: Severity = "error" if fact.too_new(version) else "warning"
    yield Problem(
        UNTESTED,
        f"{chart.component} {running} is tested on Kubernetes {fact.range}, not on {version}",
        _way_out(chart, fact, version),
        _place(rendered),
        subject=f"Chart/{chart.name}",
        severity=severity,
        also=(app.document.place(("chart",)),),
    )


def _way_out(chart: Chart, fact: Tested, version: str) -> str:
    if fact.follows_kubernetes:
        return f"set the image tag of {chart.name} to its {version} release"
    limit = fact.kubernetes_max if fact.too_new(version) else fact.kubernetes_min
    fitting = components.releases_for(chart.component, version)
    if not fitting:
        return f'write "{limit}": no release of {chart.component} in the facts is tested on {version}'
    needed = f">= {fitting[0]}" if fact.too_new(version) else f"<= {fitting[-1]}"
    return f'{version} needs {chart.component} {needed}; or write "{limit}"'


def _ended(fact: KubernetesVersion, end: date, today: date) -> str:
    message = f"Amazon EKS ended standard support of Kubernetes {fact.version} on {end}"
    extended = fact.eks_extended_end
    if extended is None:
        return message
    if today >= extended:
        return f"{message} and extended support on {extended}: Amazon upgrades such clusters itself"
    normal, dearer = (prices.price(item, "*").usd for item in ("eks-control-plane", "eks-extended-support"))
    return f"{message}; extended support until {extended} costs {dearer} USD an hour instead of {normal}"


def _end_of_life(fact: KubernetesVersion, end: date) -> str:
    return f"Kubernetes {fact.version} reached its end of life on {end}: it gets no more security fixes"


def _supported(environment: Environment, today: date, newer_than: str = "0") -> str:
    """What to write instead."""
    kind = environment.cluster.kind
    found = [
        f'"{fact.version}"'
        for fact in kubernetes.versions().values()
        if fact.supported(kind, today)
        and fact.version in schema_versions()
        and release(fact.version) > release(newer_than)
    ]
    if not found:
        return "no supported version is known: bring generator/facts/data/kubernetes.json up to date"
    return f"write {' or '.join(found)}"


def _exempted(app: App, chart: Chart) -> bool:
    objects = ("Chart/*", f"Chart/{chart.name}")
    return any(one.rule == UNTESTED and one.object in objects for one in app.exemptions)


def _is_release(tag: str) -> bool:
    try:
        return len(release(tag)) > 1
    except ValueError:
        return False


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _place(rendered: Rendered) -> Place:
    return rendered.config.place("cluster", "version")
