"""The sums of capacity: what adds up, over the committed environments and where a fixture cannot go."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from check.support import base, rendered
from generator.check.demand import Requests
from generator.check.index import Index
from generator.check.policy.capacity import addresses, room, room_without_a_zone
from generator.check.policy.identity import service_accounts
from generator.check.quantity import mebibytes, millicores
from generator.check.rule import Finding
from generator.check.shape import dig
from generator.config.load import load_environment
from generator.facts.workloads import workloads_of
from generator.render.apps import load_apps
from generator.render.render import render
from generator.render.templates import Templates

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")


@cache
def committed(name: str) -> Index:
    """The index of a committed environment."""
    loaded = load_environment(ROOT / "environments" / f"{name}.yaml", ROOT)
    return Index(render(loaded, load_apps(ROOT / "apps", ROOT), Templates(ROOT / "apps")))


def edited(folder: Path, name: str, *edits: tuple[str, str]) -> Index:
    """The same objects under an edited environment file."""
    text = (ROOT / "environments" / f"{name}.yaml").read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / f"{name}.yaml").write_text(text, "utf-8")
    loaded = load_environment(folder / f"{name}.yaml", folder)
    return Index(replace(committed(name).rendered, config=loaded))


def lines(finding: Finding) -> list[int]:
    """The line numbers of the environment file that a finding names."""
    return [place.line for place in (finding.where, *finding.also) if place]


@pytest.mark.parametrize(
    ("quantity", "cores", "size"),
    [("500m", 500, 1), (2, 2000, 1), ("1.5", 1500, 1), ("1Gi", 1073741824000, 1024), ("128974848", 0, 123)],
)
def test_quantities(quantity: Any, cores: int, size: int) -> None:
    assert not cores or millicores(quantity) == cores
    assert mebibytes(quantity) == size


@pytest.mark.parametrize("quantity", [None, "", "many", "1 Gi", "1Xi", [], True, {"cpu": 1}])
def test_what_is_no_quantity_counts_as_nothing(quantity: Any) -> None:
    assert (millicores(quantity), mebibytes(quantity)) == (0, 0)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_workload_of_a_chart_is_counted(name: str) -> None:
    index = committed(name)
    demand = index.demand
    counted = {(load.app, load.name) for load in (*demand.loads, *demand.agents)}
    for app in index.apps.values():
        known = workloads_of(app.chart or "")
        assert bool(known) == bool(app.chart), app.name
        for workload in known:
            values = index.rendered.values[app.name]
            requests = [dig(values, *path.split("."), "requests") for path in workload.containers]
            assert all(requests), f"{workload.name}: {workload.containers}"
            assert workload.kind == "Job" or (app.name, workload.name) in counted


@pytest.mark.parametrize(
    ("name", "agents", "each"), [("dev", 2, (80, 192)), ("staging", 6, (235, 312)), ("prod", 6, (235, 312))]
)
def test_agents_are_taken_off_each_node(name: str, agents: int, each: tuple[int, int]) -> None:
    demand = committed(name).demand
    assert len(demand.agents) == agents
    assert demand.on_each_node == Requests(*each)


def test_full_load_is_the_sum_of_all_pods() -> None:
    loads = {load.name: load for load in committed("prod").demand.loads}
    shown = {name: (loads[name].pods, loads[name].surge, loads[name].requests) for name in loads}
    assert shown["shop-backend"] == (10, 3, Requests(1000, 512))
    assert shown["shop-migrate"] == (1, 0, Requests(100, 256))
    assert shown["envoy"] == (6, 1, Requests(1010, 640))  # with its sidecar
    assert shown["prometheus"][0] == 2  # as the values say
    assert shown["argocd-redis"][0] == 1  # as the chart says
    assert shown["coredns"] == (2, 0, Requests(100, 70))


def test_too_few_nodes_are_found_with_the_number_that_would_do(tmp_path: Path) -> None:
    index = edited(tmp_path, "prod", ("    max: 12 #", "    max: 7 #"))
    (found,) = room(index)
    assert "26470m, and 7 m7g.xlarge × (3920m - 235m of agents) = 25795m" in found.message
    assert found.hint.startswith("write `cluster.nodes.max: 8`")
    text = (tmp_path / "prod.yaml").read_text("utf-8").splitlines()
    assert [text[line - 1].split()[0] for line in lines(found)] == [
        "max:",
        "type:",
        "max:",
        "cpu:",
        "max:",
        "cpu:",
    ]


def test_of_many_workloads_the_sum_names_the_largest(tmp_path: Path) -> None:
    index = edited(tmp_path, "prod", ("    max: 12 #", "    max: 7 #"))
    [migration] = [load for load in index.demand.loads if load.name == "shop-migrate"]
    small = [replace(migration, name=f"small-{number}") for number in range(5)]
    index.__dict__["demand"] = replace(index.demand, loads=(*index.demand.loads, *small))
    (found,) = room(index)
    assert "13 shop-backend × 1000m + 1 shop-migrate × 100m + " in found.message
    assert " + 1 small-1 × 100m + 3 of 3 more workloads 300m + 40 of charts and " in found.message
    assert " = 26970m, and" in found.message


def test_a_lost_zone_is_found_with_the_number_that_would_do(tmp_path: Path) -> None:
    index = edited(tmp_path, "prod", ("    max: 12 #", "    max: 8 #"))
    assert not list(room(index))
    (found,) = room_without_a_zone(index)
    assert "and 5 m7g.xlarge" in found.message
    assert found.hint.startswith("write `cluster.nodes.max: 9`")


def test_a_development_environment_may_lose_a_zone(tmp_path: Path) -> None:
    index = edited(tmp_path, "dev", ("    min: 2\n    max: 3\n", "    min: 0\n    max: 1\n"))
    assert not list(room_without_a_zone(index))


def test_where_the_most_nodes_would_not_do_none_are_advised() -> None:
    world = base()
    world.objects["HorizontalPodAutoscaler", "shop", "shop-backend"]["spec"]["maxReplicas"] = 1000
    hints = [found.hint for found in room(Index(rendered(world)))]
    assert hints[0].startswith("take bigger nodes")


def test_k3s_has_a_range_of_pods_addresses_for_each_node(tmp_path: Path) -> None:
    index = edited(tmp_path, "dev", ("  agents: #", "  podCidr: 10.42.0.0/22\n  agents: #"))
    (found,) = addresses(index)
    assert "for 4 nodes, and there may be 4, and one that replaces another" in found.message
    assert len(lines(found)) == 3


def test_k3s_takes_one_address_a_node(tmp_path: Path) -> None:
    index = edited(tmp_path, "dev", ("    cidr: 10.10.0.0/16", "    cidr: 10.10.0.0/20"))
    assert not list(addresses(index))


def test_a_role_whose_app_is_gone_is_found() -> None:
    world = base()
    del world.apps["loki"]
    (found,) = service_accounts(Index(rendered(world)))
    assert "and no app loki makes it" in found.message
