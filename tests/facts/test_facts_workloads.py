"""What charts and clusters run: every number has its place."""

from __future__ import annotations

import pytest

from generator.facts.addons import addons, addons_of
from generator.facts.charts import charts
from generator.facts.workloads import workloads, workloads_of


def test_every_workload_is_of_a_chart_that_is_pinned() -> None:
    assert {each.chart for each in workloads()} <= set(charts())


def test_what_has_replicas_says_how_many_or_where() -> None:
    for each in workloads():
        assert (each.replicas is None) == (each.kind in ("DaemonSet", "Job")), each
        assert each.containers


def test_a_number_is_the_charts_own() -> None:
    counts = {each.name: each.count for each in workloads_of("argo-cd")}
    assert counts["argocd-redis"] == 1
    assert counts["argocd-server"] is None


def test_of_an_unknown_chart_nothing_was_recorded() -> None:
    assert workloads_of("nginx") == ()


@pytest.mark.parametrize(("cluster", "requests"), [("eks", (155, 120)), ("k3s", (0, 0))])
def test_what_runs_on_every_node(cluster: str, requests: tuple[int, int]) -> None:
    found = [each for each in addons() if each.cluster == cluster and each.kind == "DaemonSet"]
    assert all(each.replicas is None for each in found)
    sums = (
        [each.containers * each.millicores for each in found],
        [each.containers * each.memory_mib for each in found],
    )
    assert (sum(sums[0]), sum(sums[1])) == requests


def test_both_kinds_of_cluster_have_names_to_look_up() -> None:
    assert all("coredns" in {each.name for each in addons_of(kind)} for kind in ("eks", "k3s"))
