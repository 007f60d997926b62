"""Facts about versions: Kubernetes, charts, components."""

from __future__ import annotations

from datetime import date

import pytest

from generator.facts import charts, components, kubernetes


class TestKubernetes:
    def test_eks_and_k3s_end_on_days_of_their_own(self) -> None:
        version = kubernetes.versions()["1.35"]
        assert version.end_of_support("eks") == date(2027, 3, 27)
        assert version.end_of_support("k3s") == date(2027, 2, 28)

    def test_unknown_is_none(self) -> None:
        version = kubernetes.versions()["1.37"]
        assert version.end_of_support("eks") is None
        assert not version.offered("eks")
        assert not version.offered("k3s")
        assert version.upstream_end == date(2027, 10, 28)

    @pytest.mark.parametrize(("today", "supported"), [(date(2027, 3, 26), True), (date(2027, 3, 27), False)])
    def test_supported_until_the_day_before_the_end(self, today: date, supported: bool) -> None:
        assert kubernetes.versions()["1.35"].supported("eks", today) is supported

    def test_what_is_not_offered_is_not_supported(self) -> None:
        assert not kubernetes.versions()["1.37"].supported("k3s", date(2026, 11, 22))

    def test_k3s_releases_are_of_their_version(self) -> None:
        for name, version in kubernetes.versions().items():
            assert version.k3s_release is None or version.k3s_release.startswith(f"v{name}.")

    def test_extended_support_follows_standard_support(self) -> None:
        for version in kubernetes.versions().values():
            if version.eks_standard_end and version.eks_extended_end:
                assert version.eks_standard_end < version.eks_extended_end


class TestCharts:
    def test_a_repository(self) -> None:
        chart = charts.chart("argo-cd")
        assert (chart.repository, chart.version) == ("https://argoproj.github.io/argo-helm", "10.1.1")
        assert (chart.oci, chart.argo_repository) == (False, chart.repository)

    def test_a_registry_is_written_without_its_scheme_for_argo_cd(self) -> None:
        chart = charts.chart("gateway-helm")
        assert chart.oci
        assert chart.argo_repository == "docker.io/envoyproxy"

    def test_unheard_of(self) -> None:
        with pytest.raises(KeyError):
            charts.chart("nginx-ingress")

    @pytest.mark.parametrize("chart", charts.charts().values(), ids=lambda chart: chart.name)
    def test_every_chart_leads_to_what_is_known_of_its_program(self, chart: charts.Chart) -> None:
        assert chart.repository.startswith(("https://", "oci://"))
        assert components.tested(chart.component, chart.app_version) is not None


class TestComponents:
    @pytest.mark.parametrize(
        ("component", "version", "span"),
        [
            ("argo-cd", "3.4.4", "1.32–1.35"),
            ("argo-cd", "v3.6.1", "1.34–1.37"),
            ("envoy-gateway", "1.9.0", "1.33–1.36"),
            ("external-secrets", "2.9.0", "1.36 only"),
            ("metrics-server", "0.8.1", "1.31 and newer"),
            ("cluster-autoscaler", "1.34.2", "1.34 only"),
            ("loki", "3.7.6", "unknown"),
        ],
    )
    def test_range_of_a_release(self, component: str, version: str, span: str) -> None:
        found = components.tested(component, version)
        assert found is not None
        assert found.range == span

    def test_a_release_that_was_not_recorded(self) -> None:
        assert components.tested("argo-cd", "3.40.0") is None
        assert components.tested("argo-cd", "2.14.0") is None
        assert components.tested("traefik", "3.7.8") is None

    @pytest.mark.parametrize(
        ("kubernetes_version", "old", "covered", "new"),
        [
            ("1.31", True, False, False),
            ("1.32", False, True, False),
            ("1.35", False, True, False),
            ("1.36", False, False, True),
            ("1.100", False, False, True),
        ],
    )
    def test_both_ends_are_included(
        self, kubernetes_version: str, old: bool, covered: bool, new: bool
    ) -> None:
        found = components.tested("argo-cd", "3.4.4")
        assert found is not None
        assert found.too_old(kubernetes_version) is old
        assert found.covers(kubernetes_version) is covered
        assert found.too_new(kubernetes_version) is new

    def test_an_open_end_covers_what_is_newer(self) -> None:
        found = components.tested("metrics-server", "0.8.1")
        assert found is not None
        assert found.covers("1.99")
        assert found.too_old("1.30")

    def test_an_unknown_range_covers_nothing_and_objects_to_nothing(self) -> None:
        found = components.tested("alloy", "1.18.1")
        assert found is not None
        assert not any((found.known, found.covers("1.35"), found.too_old("1.1"), found.too_new("1.99")))

    def test_releases_tested_on_a_version_oldest_first(self) -> None:
        assert components.releases_for("argo-cd", "1.36") == ["3.5", "3.6"]
        assert components.releases_for("argo-cd", "1.37") == ["3.6"]
        assert components.releases_for("envoy-gateway", "1.37") == []
