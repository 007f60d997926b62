"""Rules about versions: each on a day when all is well and on one when it is not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from generator.check import versions
from generator.check.versions import check_versions, running_release, schema_versions
from generator.config.load import load_environment
from generator.facts.charts import chart
from generator.problem import Problem
from generator.render.app import Exemption
from generator.render.apps import load_apps
from generator.render.model import Rendered

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
KINDS = {"eks": "prod", "k3s": "dev"}
TODAY = date(2026, 11, 22)
CHARTS = {"argo-cd": "argo-cd", "envoy-gateway": "gateway-helm", "cert-manager": "cert-manager"}
SECRETS = {"secrets": "external-secrets"}
APP = """description: an app of this test
owner: platform
project: platform
namespace: {name}
chart: {chart}
"""


class Cluster:
    """A cluster of one kind and version, running some charts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        kind: str,
        version: str,
        charts: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        exempted: tuple[str, str] | None = None,
    ) -> Rendered:
        text = (ENVIRONMENTS / f"{KINDS[kind]}.yaml").read_text(encoding="utf-8")
        path = self.folder / f"{KINDS[kind]}.yaml"
        path.write_text(
            re.sub(r'version: "1\.\d+"', f'version: "{version}"', text, count=1), encoding="utf-8"
        )
        apps = self.folder / "apps"
        apps.mkdir(exist_ok=True)
        for name, chart_name in (charts or {}).items():
            (apps / name).mkdir(exist_ok=True)
            (apps / name / "app.yaml").write_text(APP.format(name=name, chart=chart_name))
        loaded = load_environment(path, self.folder)
        running = load_apps(apps, self.folder)
        if exempted:
            rule, pattern = exempted
            exemption = Exemption.model_construct(rule=rule, object=pattern, reason="as tried in staging")
            running = tuple(app.model_copy(update={"exemptions": (exemption,)}) for app in running)
        return Rendered(loaded, running, (), values or {})


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def one(problems: list[Problem]) -> Problem:
    """The only problem."""
    assert len(problems) == 1, problems
    return problems[0]


def found(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.severity) for problem in problems]


@pytest.mark.parametrize("kind", ["eks", "k3s"])
def test_nothing_to_say_where_all_is_well(cluster: Cluster, kind: str) -> None:
    assert check_versions(cluster(kind, "1.35", CHARTS), TODAY) == []


@pytest.mark.parametrize(("kind", "file"), [("eks", "prod.yaml"), ("k3s", "dev.yaml")])
def test_problems_point_at_the_version_in_the_file(cluster: Cluster, kind: str, file: str) -> None:
    where = one(check_versions(cluster(kind, "1.31"), TODAY)).where
    assert where is not None
    assert where.file == file
    line = (cluster.folder / file).read_text(encoding="utf-8").splitlines()[where.line - 1]
    assert line.strip().startswith('version: "1.31"')


class TestKnown:
    def test_a_version_that_the_facts_do_not_have(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.31"), TODAY))
        assert (problem.code, problem.severity) == ("DC-K8S-001", "error")
        assert problem.message == "Kubernetes 1.31 is not in the facts"
        assert problem.hint == 'write "1.34" or "1.35" or "1.36"'

    def test_what_is_offered_instead_depends_on_kind_and_day(self, cluster: Cluster) -> None:
        assert one(check_versions(cluster("k3s", "1.31"), TODAY)).hint == 'write "1.35" or "1.36"'
        assert one(check_versions(cluster("eks", "1.31"), date(2026, 12, 2))).hint == 'write "1.35" or "1.36"'
        assert one(check_versions(cluster("eks", "1.31"), date(2040, 1, 1))).hint.startswith(
            "no supported version"
        )

    @pytest.mark.parametrize(("kind", "name"), [("eks", "Amazon EKS"), ("k3s", "K3s")])
    def test_a_version_that_is_not_offered_yet(self, cluster: Cluster, kind: str, name: str) -> None:
        problem = one(check_versions(cluster(kind, "1.37"), TODAY))
        assert problem.code == "DC-K8S-001"
        assert problem.message == f"no release of {name} with Kubernetes 1.37 is in the facts"

    def test_a_version_without_schemas(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(versions, "schema_versions", lambda: frozenset({"1.36"}))
        problem = one(check_versions(cluster("eks", "1.35"), TODAY))
        assert problem.code == "DC-K8S-001"
        assert problem.message == "there are no schemas to check Kubernetes 1.35 with"
        assert problem.hint == 'write "1.36"'

    def test_the_schemas_that_are_installed(self) -> None:
        assert {"1.32", "1.35", "1.37"} <= schema_versions()
        assert "1.99" not in schema_versions()


class TestSupported:
    @pytest.mark.parametrize(
        ("kind", "today", "codes"),
        [
            ("eks", date(2026, 12, 26), []),
            ("eks", date(2026, 12, 27), [("DC-K8S-003", "warning")]),  # 90 days before
            ("eks", date(2027, 3, 26), [("DC-K8S-003", "warning")]),
            ("eks", date(2027, 3, 27), [("DC-K8S-002", "error")]),
            ("k3s", date(2026, 11, 29), []),
            ("k3s", date(2026, 11, 30), [("DC-K8S-003", "warning")]),  # 90 days before
            ("k3s", date(2027, 2, 27), [("DC-K8S-003", "warning")]),
            ("k3s", date(2027, 2, 28), [("DC-K8S-002", "error")]),
        ],
    )
    def test_the_days_around_each_end(
        self, cluster: Cluster, kind: str, today: date, codes: list[tuple[str, str]]
    ) -> None:
        assert found(check_versions(cluster(kind, "1.35"), today)) == codes

    def test_eks_in_extended_support(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.33"), TODAY))
        assert problem.message == (
            "Amazon EKS ended standard support of Kubernetes 1.33 on 2026-07-29; "
            "extended support until 2027-07-29 costs 0.6 USD an hour instead of 0.1"
        )
        assert problem.hint == 'write "1.34" or "1.35" or "1.36"; upgrade one minor version at a time'

    @pytest.mark.parametrize("today", [date(2027, 7, 29), date(2028, 1, 1)])
    def test_eks_after_extended_support(self, cluster: Cluster, today: date) -> None:
        problem = one(check_versions(cluster("eks", "1.33"), today))
        assert problem.message.endswith(
            "extended support on 2027-07-29: Amazon upgrades such clusters itself"
        )

    def test_eks_where_the_end_of_extended_support_is_unknown(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.36"), date(2027, 8, 2)))
        assert problem.message == "Amazon EKS ended standard support of Kubernetes 1.36 on 2027-08-02"

    def test_k3s_ends_with_upstream(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("k3s", "1.34"), TODAY))
        assert problem.code == "DC-K8S-002"
        assert problem.message == (
            "Kubernetes 1.34 reached its end of life on 2026-10-27: it gets no more security fixes"
        )

    def test_a_warning_counts_the_days_and_names_newer_versions(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.34"), TODAY))
        assert problem.message == "standard support of Kubernetes 1.34 ends on 2026-12-02, in 10 days"
        assert problem.hint == 'plan the upgrade: write "1.35" or "1.36"'
        assert "in 1 day" in one(check_versions(cluster("eks", "1.34"), date(2026, 12, 1))).message


class TestTested:
    def test_a_newer_kubernetes_names_the_pin_that_binds(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.36", CHARTS), TODAY))
        assert (problem.code, problem.severity) == ("DC-K8S-004", "error")
        assert problem.subject == "Chart/argo-cd"
        assert problem.message == "argo-cd 3.4.4 is tested on Kubernetes 1.32–1.35, not on 1.36"
        assert problem.hint == '1.36 needs argo-cd >= 3.5; or write "1.35"'
        assert [(place.file, place.line) for place in problem.also] == [("apps/argo-cd/app.yaml", 5)]

    def test_where_no_release_is_tested_the_way_back_is_named(self, cluster: Cluster) -> None:
        rendered = cluster("eks", "1.37", {"envoy-gateway": "gateway-helm"})
        problem = next(one for one in check_versions(rendered, TODAY) if one.code == "DC-K8S-004")
        assert problem.hint == 'write "1.36": no release of envoy-gateway in the facts is tested on 1.37'

    def test_an_older_kubernetes_is_a_warning(self, cluster: Cluster) -> None:
        problem = one(check_versions(cluster("eks", "1.35", SECRETS), TODAY))
        assert (problem.code, problem.severity) == ("DC-K8S-004", "warning")
        assert problem.message == "external-secrets 2.9.0 is tested on Kubernetes 1.36 only, not on 1.35"
        assert problem.hint == '1.35 needs external-secrets <= 2.8; or write "1.36"'

    @pytest.mark.parametrize("pattern", ["Chart/external-secrets", "Chart/*"])
    def test_an_exemption(self, cluster: Cluster, pattern: str) -> None:
        rendered = cluster("eks", "1.35", SECRETS, exempted=("DC-K8S-004", pattern))
        assert check_versions(rendered, TODAY) == []

    @pytest.mark.parametrize("exempted", [("DC-K8S-003", "Chart/*"), ("DC-K8S-004", "Chart/loki")])
    def test_an_exemption_of_something_else(self, cluster: Cluster, exempted: tuple[str, str]) -> None:
        rendered = cluster("eks", "1.35", SECRETS, exempted=exempted)
        assert found(check_versions(rendered, TODAY)) == [("DC-K8S-004", "warning")]

    @pytest.mark.parametrize("name", ["loki", "alloy", "kube-prometheus-stack"])
    def test_no_published_range_is_no_problem(self, cluster: Cluster, name: str) -> None:
        assert check_versions(cluster("eks", "1.36", {"it": name}), TODAY) == []

    def test_a_chart_that_the_facts_do_not_have_is_another_rules_concern(self, cluster: Cluster) -> None:
        assert check_versions(cluster("eks", "1.35", {"it": "no-such-chart"}), TODAY) == []

    def test_the_cluster_autoscaler_goes_with_the_cluster(self, cluster: Cluster) -> None:
        charts = {"scaler": "cluster-autoscaler"}
        assert check_versions(cluster("eks", "1.35", charts), TODAY) == []
        problem = one(check_versions(cluster("eks", "1.36", charts), TODAY))
        assert problem.message == "cluster-autoscaler 1.35.0 is tested on Kubernetes 1.35 only, not on 1.36"
        assert problem.hint == "set the image tag of cluster-autoscaler to its 1.36 release"
        tagged = {"scaler": {"image": {"tag": "v1.36.0"}}}
        assert check_versions(cluster("eks", "1.36", charts, tagged), TODAY) == []

    def test_a_release_without_a_record(self, cluster: Cluster) -> None:
        values = {"argo-cd": {"global": {"image": {"tag": "v9.9.9"}}}}
        assert check_versions(cluster("eks", "1.36", {"argo-cd": "argo-cd"}, values), TODAY) == []

    def test_the_day_does_not_matter(self, cluster: Cluster) -> None:
        rendered = cluster("eks", "1.36", CHARTS)
        early, late = (list(versions.tested_version(rendered, day)) for day in (date.min, date.max))
        assert early == late != []


@pytest.mark.parametrize(
    ("values", "running"),
    [
        ({}, "3.4.4"),
        ({"image": {"tag": "v3.5.1"}}, "3.5.1"),
        ({"image": {"tag": "3.5.1@sha256:0123"}}, "3.5.1"),
        ({"global": {"image": {"tag": "v3.5.1"}}}, "3.5.1"),
        ({"image": {"tag": ""}}, "3.4.4"),
        ({"image": {"tag": "latest"}}, "3.4.4"),
        ({"image": {"tag": 3}}, "3.4.4"),
        ({"image": "argocd:v3.5.1"}, "3.4.4"),
        ({"image": None}, "3.4.4"),
    ],
)
def test_running_release(values: dict[str, Any], running: str) -> None:
    assert running_release(chart("argo-cd"), values) == running


def test_rules_have_codes_in_order_and_documentation() -> None:
    assert [code for code, _ in versions.RULES] == ["DC-K8S-001", "DC-K8S-002", "DC-K8S-003", "DC-K8S-004"]
    for _, check in versions.RULES:
        title, _, rest = (check.__doc__ or "").partition("\n")
        assert title.endswith(".")
        assert "Why:" in rest
        assert "Fix:" in rest


def test_a_version_of_which_nothing_is_known_upsets_no_other_rule(cluster: Cluster) -> None:
    rendered = replace(cluster("eks", "1.99"), values={})
    assert found(check_versions(rendered, TODAY)) == [("DC-K8S-001", "error")]
