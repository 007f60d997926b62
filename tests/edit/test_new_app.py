"""`new-app`: the scaffold renders in every environment, and the checks have nothing to say about it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from generator.argocd.charts import chart_kinds
from generator.edit.new_app import new_app
from generator.facts.charts import charts
from generator.problem import Problem, ProblemsError
from generator.repository import Repository
from generator.workflow import Build, build

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
UNPUBLISHED = "DC-IMG-004"  # a warning, and true: nothing has published the image of an app that is new


def built_with(files: dict[str, str], root: Path) -> Build:
    """The repository's apps and environments with these files beside them, rendered and checked."""
    shutil.copytree(ROOT / "apps", root / "apps")
    shutil.copytree(ROOT / "environments", root / "environments")
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return build(Repository(root), (), TODAY)


def about(problems: tuple[Problem, ...], name: str) -> list[Problem]:
    """Problems that name the app in any of their parts."""
    return [problem for problem in problems if name in f"{problem.where} {problem.subject} {problem.message}"]


def test_an_app_like_the_backend_is_complete(tmp_path: Path) -> None:
    done = built_with(new_app("gift-cards", taken=("shop",)), tmp_path)
    for rendered in done.rendered:
        objects = [obj for obj in rendered.objects if obj.app == "gift-cards"]
        assert {obj.kind for obj in objects} >= {
            "Deployment", "HorizontalPodAutoscaler", "LimitRange", "Namespace", "NetworkPolicy",
            "PodDisruptionBudget", "ResourceQuota", "Service", "ServiceAccount",
        }  # fmt: skip
        assert {obj.namespace for obj in objects} == {"", "gift-cards"}
        assert any(obj.name == "gift-cards" and obj.kind == "Application" for obj in rendered.argocd)
    assert {problem.code for problem in about(done.problems, "gift-cards")} <= {UNPUBLISHED}


def test_a_chart_is_complete(tmp_path: Path) -> None:
    files = new_app("prober", taken=(), chart="prometheus-blackbox-exporter")
    done = built_with(files, tmp_path)
    for rendered in done.rendered:
        assert rendered.values["prober"] == {"fullnameOverride": "prober"}
    assert about(done.problems, "prober") == []


def test_every_known_chart_can_be_started_from() -> None:
    assert set(charts()) <= set(chart_kinds())


@pytest.mark.parametrize("chart", [None, "loki"])
def test_no_placeholder_is_left(chart: str | None) -> None:
    files = new_app("gift-cards", taken=(), chart=chart)
    assert "apps/gift-cards/app.yaml" in files
    assert not [
        path for path, text in files.items() if "@NAME@" in text or "@CHART@" in text or "@IMA" in text
    ]


@pytest.mark.parametrize(
    "name", ["Gift", "gift_cards", "1gift", "a" * 21, "", "root", "default", "kube-x", "a/b"]
)
def test_a_name_that_is_none(name: str) -> None:
    assert codes(name) == ["DC-EDT-001"]


def test_a_name_that_is_taken() -> None:
    assert codes("edge", taken=("edge",)) == ["DC-EDT-002"]


def test_a_chart_that_is_not_known() -> None:
    assert codes("prober", chart="prometheus-blackbox") == ["DC-EDT-004"]


def test_like_nothing_that_is_known() -> None:
    assert codes("prober", like="batch") == ["DC-EDT-005"]


def codes(
    name: str, taken: tuple[str, ...] = (), like: str = "backend", chart: str | None = None
) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        new_app(name, taken, like=like, chart=chart)
    return [problem.code for problem in caught.value.problems]
