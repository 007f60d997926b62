"""Where problems point: the line of the environment file if that caused them, else the template."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from check.support import FIXTURES, World, base, documents, merge, patched, rendered
from generator.check.run import check, check_all
from generator.problem import Place, Problem
from generator.render.apps import load_apps
from generator.render.model import Rendered

TODAY = date(2026, 11, 22)
DEPLOYMENT = "apps/shop-backend/deployment.yaml.j2"
HPA = ("HorizontalPodAutoscaler", "shop", "shop-backend")


def only(world: World) -> Problem:
    """The one problem of `world`."""
    (problem,) = check(rendered(world), TODAY)
    return problem


def line(environment: Rendered, where: Place | None) -> str:
    """The text of the environment file that `where` points at."""
    assert where is not None
    assert where.file == "prod.yaml"
    return environment.config.document.lines[where.line - 1].strip()


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"minReplicas": 2}, "DC-REL-007", "min: 3"),
        ({"minReplicas": 11}, "DC-REL-010", "max: 10"),
    ],
)
def test_replicas_point_at_the_environment_file(changes: dict[str, int], code: str, text: str) -> None:
    world = base()
    world.objects[HPA] = merge(world.objects[HPA], {"spec": changes})
    problem = only(world)
    assert problem.code == code
    assert line(rendered(world), problem.where) == text
    assert problem.also == (Place("apps/shop-backend/horizontalpodautoscaler.yaml.j2"),)


def test_an_unpublished_image_points_at_its_digest_once() -> None:
    zeros = "sha256:" + "0" * 64
    world = patched(base(), [{"kind": "Environment", "shop": {"backend": {"image": {"digest": zeros}}}}])
    for kind, name in (("Deployment", "shop-backend"), ("Job", "shop-report")):
        pod = world.objects[kind, "shop", name]["spec"]["template"]["spec"]
        pod["containers"][0]["image"] = f"ghcr.io/dhakacart/shop-backend:1.4.2@{zeros}"
    problem = only(world)
    assert (problem.code, problem.severity) == ("DC-IMG-004", "warning")
    assert line(rendered(world), problem.where) == f"digest: {zeros}"


def test_what_a_template_caused_points_at_the_template() -> None:
    problem = only(patched(base(), documents(FIXTURES / "DC-POD-003" / "bad.yaml")))
    assert problem.where == Place(DEPLOYMENT)
    assert problem.subject == "Deployment shop/shop-backend"


def test_chart_values_point_at_their_template() -> None:
    problem = only(patched(base(), documents(FIXTURES / "DC-SEC-007" / "bad.yaml")))
    assert problem.where == Place("apps/kube-prometheus-stack/values.yaml.j2")
    assert problem.message == "value grafana.adminPassword of the chart holds a secret"


def test_a_stale_exemption_points_at_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "shop-backend"
    folder.mkdir(parents=True)
    (folder / "app.yaml").write_text(
        "description: The shop's HTTP API\n"
        "owner: shop\n"
        "project: shop\n"
        "namespace: shop\n"
        "exemptions:\n"
        "  - rule: DC-POD-003\n"
        "    object: Deployment/shop-backend\n"
        "    reason: It was needed by the previous release\n",
        encoding="utf-8",
    )
    clean = rendered(base())
    app = load_apps(tmp_path / "apps", tmp_path)[0]
    apps = tuple(app if other.name == app.name else other for other in clean.apps)
    (problem,) = check(Rendered(clean.config, apps, clean.objects, clean.values, clean.argocd), TODAY)
    assert problem.code == "DC-META-009"
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("apps/shop-backend/app.yaml", 7)


def with_exemption(world: World, name: str) -> World:
    exemption = {"rule": "DC-POD-003", "object": name, "reason": "The old image needs it for a while"}
    return patched(world, [{"kind": "App", "metadata": {"name": "shop-backend"}, "exemptions": [exemption]}])


@pytest.mark.parametrize("name", ["Deployment/shop-backend", "Deployment/*"])
def test_an_exemption_holds_for_its_rule_and_object(name: str) -> None:
    world = patched(base(), documents(FIXTURES / "DC-POD-003" / "bad.yaml"))
    assert check(rendered(with_exemption(world, name)), TODAY) == []


def test_an_exemption_of_another_object_does_not_hold() -> None:
    world = with_exemption(patched(base(), documents(FIXTURES / "DC-POD-003" / "bad.yaml")), "Job/*")
    assert [problem.code for problem in check(rendered(world), TODAY)] == ["DC-META-009", "DC-POD-003"]


def test_an_exemption_that_one_environment_needs_is_not_stale() -> None:
    needs = with_exemption(patched(base(), documents(FIXTURES / "DC-POD-003" / "bad.yaml")), "Deployment/*")
    does_not = with_exemption(base(), "Deployment/*")
    both = [rendered(needs), rendered(does_not)]
    assert check_all(both, TODAY) == []
    assert [problem.code for problem in check(both[1], TODAY)] == ["DC-META-009"]


def test_what_is_wrong_everywhere_is_said_once() -> None:
    bad = documents(FIXTURES / "DC-POD-003" / "bad.yaml")
    problems = check_all([rendered(patched(base(), bad)), rendered(patched(base(), bad))], TODAY)
    assert [problem.subject for problem in problems] == ["Deployment shop/shop-backend"]


def test_what_is_wrong_in_one_environment_says_in_which() -> None:
    world = patched(base(), documents(FIXTURES / "DC-POD-003" / "bad.yaml"))
    clean = base()
    clean.environment["name"] = "staging"
    problems = check_all([rendered(world), rendered(clean)], TODAY)
    privileged = [problem.subject for problem in problems if problem.code == "DC-POD-003"]
    assert privileged == ["Deployment shop/shop-backend (prod)"]


def test_other_checks_join_in() -> None:
    def late(one: Rendered, today: date) -> list[Problem]:
        return [Problem("DC-K8S-002", f"{one.environment.cluster.version} on {today}")]

    (problem,) = check(rendered(base()), TODAY, [late])
    assert problem.message == "1.35 on 2026-11-22"
