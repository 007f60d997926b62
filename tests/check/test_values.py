"""Chart values: what fits, what is caught, and that no trap of a chart's defaults can come back."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.check.values import (
    BAD_VALUE,
    INCOMPLETE,
    OPEN_SCHEMA,
    RULES,
    SCHEMA,
    TEMPLATE,
    check_values,
    dotted,
    open_objects,
)
from generator.config.load import load_environment
from generator.problem import Problem
from generator.render.app import App
from generator.render.apps import load_apps
from generator.render.model import Rendered
from generator.render.render import render
from generator.render.templates import Templates

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
CHARTS = {
    "alloy": "alloy",
    "argo-cd": "argo-cd",
    "cert-manager": "cert-manager",
    "cluster-autoscaler": "cluster-autoscaler",
    "envoy-gateway": "gateway-helm",
    "external-secrets": "external-secrets",
    "kube-prometheus-stack": "kube-prometheus-stack",
    "loki": "loki",
    "metrics-server": "metrics-server",
    "postgres-exporter": "prometheus-postgres-exporter",
}
GONE = object()
PROM = "prometheus.prometheusSpec"

# What the charts do by default that hurts: app, path of the value, and the default (GONE: left to the chart).
TRAPS: tuple[tuple[str, str, Any], ...] = (
    ("kube-prometheus-stack", "grafana.admin.existingSecret", GONE),
    ("kube-prometheus-stack", "grafana.admin", GONE),
    *(
        ("kube-prometheus-stack", f"{PROM}.{kind}SelectorNilUsesHelmValues", value)
        for kind in ("podMonitor", "probe", "rule", "scrapeConfig", "serviceMonitor")
        for value in (True, GONE)
    ),
    ("kube-prometheus-stack", f"{PROM}.storageSpec", GONE),
    ("kube-prometheus-stack", "alertmanager.config.route.receiver", "null"),
    *(
        ("kube-prometheus-stack", f"{part}.enabled", value)
        for part in ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")
        for value in (True, GONE)
    ),
    ("kube-prometheus-stack", "prometheusOperator.admissionWebhooks.patch.enabled", True),
    ("kube-prometheus-stack", "prometheus-node-exporter.namespaceOverride", GONE),
    ("loki", "loki.storage.bucketNames.chunks", GONE),
    ("loki", "loki.storage.bucketNames.ruler", GONE),
    ("loki", "loki.schemaConfig", GONE),
    ("loki", "deploymentMode", "SimpleScalable"),
    *(
        ("loki", f"{target}.replicas", value)
        for target in ("read", "write", "backend")
        for value in (3, GONE)
    ),
    ("loki", "chunksCache.enabled", True),
    ("loki", "chunksCache", GONE),
    ("loki", "resultsCache.enabled", True),
    ("loki", "loki.auth_enabled", True),
    ("loki", "loki.commonConfig.replication_factor", 2),
    ("loki", "lokiCanary.enabled", True),
    ("loki", "gateway.enabled", True),
    ("loki", "minio", {"enabled": True}),
    ("loki", "monitoring.rules", {"alerting": True}),
    ("alloy", "crds.create", True),
    ("alloy", "alloy.enableReporting", True),
    ("alloy", "alloy.enableReporting", GONE),
    ("alloy", "alloy.mounts.varlog", False),
    ("alloy", "alloy.storagePath", "/tmp/alloy"),
    ("alloy", "alloy.securityContext", GONE),
    ("external-secrets", "leaderElect", False),
    ("external-secrets", "leaderElect", GONE),
    ("cert-manager", "crds.enabled", False),
    ("cert-manager", "crds", GONE),
    ("cert-manager", "config.enableGatewayAPI", GONE),
    ("envoy-gateway", "crds.enabled", False),
    ("envoy-gateway", "podDisruptionBudget", GONE),
    ("envoy-gateway", "config.envoyGateway.provider.kubernetes.deploy.type", "ControllerNamespace"),
    ("metrics-server", "apiService.insecureSkipTLSVerify", True),
    ("metrics-server", "apiService.insecureSkipTLSVerify", GONE),
    ("metrics-server", "args", ["--kubelet-insecure-tls"]),
    ("cluster-autoscaler", "autoDiscovery.clusterName", GONE),
    ("cluster-autoscaler", "resources", GONE),
    ("cluster-autoscaler", "securityContext", GONE),
    ("cluster-autoscaler", "containerSecurityContext", GONE),
    ("postgres-exporter", "config.datasourceSecret", GONE),
    ("postgres-exporter", "config.autoDiscoverDatabases", True),
    ("postgres-exporter", "podDisruptionBudget.minAvailable", 1),
    ("argo-cd", "global.networkPolicy.create", False),
    ("argo-cd", "configs/params/controller.diff.server.sde", "true"),
    ("argo-cd", "configs/params/controller.diff.server.side", GONE),
    ("argo-cd", "configs/cm/resource.customizations.health.argoproj.io_Application", GONE),
    ("argo-cd", "configs/cm/resource.customizations.health.autoscaling_HorizontalPodAutoscaler", GONE),
    ("argo-cd", "configs/cm/exec.enabled", True),
)


@pytest.fixture(scope="session")
def apps() -> tuple[App, ...]:
    return tuple(app for app in load_apps(ROOT / "apps", ROOT) if app.name in CHARTS)


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def rendered(request: pytest.FixtureRequest, apps: tuple[App, ...]) -> Rendered:
    return _render(request.param, apps)


@pytest.fixture(scope="session")
def prod(apps: tuple[App, ...]) -> Rendered:
    return _render("prod", apps)


def _render(environment: str, apps: tuple[App, ...]) -> Rendered:
    loaded = load_environment(ROOT / "environments" / f"{environment}.yaml", ROOT)
    return render(loaded, apps, Templates(ROOT / "apps"))


def _with(rendered: Rendered, app: str, path: str, value: Any) -> Rendered:
    """`rendered` with one value of an app's chart changed, added or (GONE) taken away.

    Steps of `path` are joined by dots, by slashes where a key itself holds dots.
    """
    values = copy.deepcopy(dict(rendered.values))
    *parents, last = path.split("/" if "/" in path else ".")
    here = values[app]
    for step in parents:
        here = here[step]
    if value is GONE:
        del here[last]
    else:
        here[last] = value
    return replace(rendered, values=values)


def _messages(problems: list[Problem]) -> str:
    return "\n".join(f"{p.code} {p.where} {p.message} ({p.hint})" for p in problems)


def test_every_chart_is_there(prod: Rendered) -> None:
    assert {app.name: app.chart for app in prod.apps} == CHARTS
    assert set(prod.values) == set(CHARTS)


def test_the_real_values_fit(rendered: Rendered) -> None:
    assert check_values(rendered) == [], _messages(check_values(rendered))


def test_two_renders_are_equal(rendered: Rendered, apps: tuple[App, ...]) -> None:
    again = _render(rendered.environment.name, apps)
    assert json.dumps(again.values) == json.dumps(rendered.values)
    assert [obj.body for obj in again.objects] == [obj.body for obj in rendered.objects]


@pytest.mark.parametrize("app", CHARTS)
def test_every_schema_is_closed(app: str) -> None:
    schema = json.loads((ROOT / "apps" / app / SCHEMA).read_text(encoding="utf-8"))
    assert list(open_objects(schema)) == []


@pytest.mark.parametrize(("app", "path", "value"), TRAPS)
def test_a_trap_is_caught(prod: Rendered, app: str, path: str, value: Any) -> None:
    problems = check_values(_with(prod, app, path, value))
    assert problems, f"{app}: {path} got through"
    assert {problem.code for problem in problems} == {BAD_VALUE}
    assert all(str(problem.where) == f"apps/{app}/{TEMPLATE}" for problem in problems)
    assert all(problem.subject == f"{app} (chart {CHARTS[app]})" for problem in problems)


def test_a_misspelt_key_is_named_with_what_was_meant(prod: Rendered) -> None:
    values = copy.deepcopy(dict(prod.values))
    spec = values["kube-prometheus-stack"]["prometheus"]["prometheusSpec"]
    spec["retetnion"] = spec.pop("retention")
    found = {
        (p.message, p.hint) for p in check_values(replace(prod, values=values)) if "retetnion" in p.message
    }
    assert found == {
        ("`prometheus.prometheusSpec.retetnion` is no value that this app sets", "did you mean `retention`?")
    }


def test_several_mistakes_are_told_at_once(prod: Rendered) -> None:
    broken = _with(_with(prod, "loki", "read.replicas", 3), "loki", "write.replicas", "three")
    messages = _messages(check_values(_with(broken, "alloy", "alloy.enableReporting", True)))
    for part in ("`read.replicas` is 3", '`write.replicas` is "three"', "`alloy.enableReporting` is true"):
        assert part in messages


def test_a_trap_is_explained(prod: Rendered) -> None:
    (problem,) = check_values(_with(prod, "metrics-server", "apiService.insecureSkipTLSVerify", True))
    assert problem.message == "`apiService.insecureSkipTLSVerify` is true"
    assert (
        problem.hint == "write false: true by default: anyone on the network could answer for metrics-server"
    )


def test_a_missing_trap_is_explained(prod: Rendered) -> None:
    (problem,) = check_values(_with(prod, "kube-prometheus-stack", "grafana.admin.existingSecret", GONE))
    assert problem.message == "`grafana.admin.existingSecret` is missing"
    assert problem.hint.startswith('write "grafana-admin": without it')


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        ("replicaCount", "2", '`replicaCount` is "2"', "its type is integer"),
        ("resources.limits", GONE, "`resources.limits` is missing", ""),
        ("resources.requests.memory", "128", '`resources.requests.memory` is "128"', "write text like"),
        ("priorityClassName", "urgent", '`priorityClassName` is "urgent"', "write one of"),
        ("tolerations", [], "`tolerations` is no value", "known here: "),
        ("topologySpreadConstraints", [], "`topologySpreadConstraints`: ", ""),
    ],
)
def test_words_of_other_mistakes(prod: Rendered, path: str, value: Any, message: str, hint: str) -> None:
    (problem,) = check_values(_with(prod, "external-secrets", path, value))
    assert problem.message.startswith(message)
    assert problem.hint.startswith(hint)


def _chart_app(apps: tuple[App, ...], folder: Path, **changes: Any) -> App:
    """An app of the real ones, moved to `folder`."""
    app = next(app for app in apps if app.name == "alloy")
    return app.model_copy(update={"folder": folder, "name": folder.name, **changes})


def test_a_chart_needs_values_and_schema(prod: Rendered, apps: tuple[App, ...], tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "bare"
    folder.mkdir(parents=True)
    bare = _chart_app(apps, folder)
    (problem,) = check_values(replace(prod, apps=(bare,), values={}))
    assert (problem.code, problem.subject) == (INCOMPLETE, "bare (chart alloy)")
    assert problem.message == f"`bare` has the chart `alloy` but no {TEMPLATE} and no {SCHEMA}"
    assert str(problem.where).startswith("apps/alloy/app.yaml:")


def test_values_need_a_chart(prod: Rendered, apps: tuple[App, ...], tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "plain"
    folder.mkdir(parents=True)
    for name in (TEMPLATE, SCHEMA):
        (folder / name).write_text("{}", encoding="utf-8")
    plain = _chart_app(apps, folder, chart=None)
    (problem,) = check_values(replace(prod, apps=(plain,), values={"plain": {}}))
    assert (problem.code, problem.message) == (INCOMPLETE, "`plain` has chart values but no chart")


def test_an_app_without_chart_is_left_alone(prod: Rendered, apps: tuple[App, ...], tmp_path: Path) -> None:
    plain = _chart_app(apps, tmp_path, chart=None)
    assert check_values(replace(prod, apps=(plain,), values={})) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"type": 7}'])
def test_an_unusable_schema(prod: Rendered, apps: tuple[App, ...], tmp_path: Path, text: str) -> None:
    problem = _problem_of_schema(prod, apps, tmp_path, text)
    assert problem.code == INCOMPLETE
    assert problem.message.startswith("cannot use this schema: ")
    assert str(problem.where) == f"apps/one/{SCHEMA}"


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"type": "object"}, "#"),
        ({"type": "object", "additionalProperties": True}, "#"),
        (
            {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "object"}}},
            "#/properties/a",
        ),
        ({"type": "array", "items": {"type": "object"}}, "#/items"),
        ({"$defs": {"x": {"properties": {}}}}, "#/$defs/x"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "#/anyOf/1"),
        (
            {"type": "object", "additionalProperties": {"type": "object"}},
            "#/additionalProperties",
        ),
    ],
)
def test_an_open_schema(
    prod: Rendered, apps: tuple[App, ...], tmp_path: Path, schema: dict[str, Any], at: str
) -> None:
    assert list(open_objects(schema)) == [at]
    if "items" not in schema:
        problem = _problem_of_schema(prod, apps, tmp_path, json.dumps(schema))
        assert (problem.code, problem.message) == (OPEN_SCHEMA, f"the object at `{at}` takes any key")


def _problem_of_schema(prod: Rendered, apps: tuple[App, ...], tmp_path: Path, text: str) -> Problem:
    folder = tmp_path / "apps" / "one"
    folder.mkdir(parents=True)
    (folder / TEMPLATE).write_text("{}", encoding="utf-8")
    (folder / SCHEMA).write_text(text, encoding="utf-8")
    (problem,) = check_values(replace(prod, apps=(_chart_app(apps, folder),), values={"one": {}}))
    return problem


def test_free_maps_are_closed_by_the_type_of_their_values() -> None:
    assert list(open_objects({"type": "object", "additionalProperties": {"type": "string"}})) == []


def test_paths_read_as_people_write_them() -> None:
    assert dotted(["a", 0, "b.c", "d"]) == 'a[0]."b.c".d'


def test_every_rule_is_documented() -> None:
    assert [rule.code for rule in RULES] == [BAD_VALUE, INCOMPLETE, OPEN_SCHEMA]
    assert all("Why:" in rule.doc and "Fix:" in rule.doc for rule in RULES)
