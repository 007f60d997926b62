"""What follows from the sizes in an environment file: surges, quotas, a client's share at each proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.config.environment import Environment
from generator.config.load import load_environment
from generator.config.shop import Resources, quota

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prod() -> Environment:
    return load_environment(ROOT / "environments" / "prod.yaml", ROOT).environment


def test_a_quota_is_the_sum_of_its_pods_as_the_api_server_writes_it() -> None:
    half, whole = Resources(cpu="500m", memory="512Mi"), Resources(cpu="1", memory="1Gi")
    assert quota((2, (half,)), (1, (half, whole))) == {
        "pods": "3",
        "requests.cpu": "2500m",
        "requests.memory": "2560Mi",
        "limits.memory": "2560Mi",
    }
    assert quota((2, (half,))) == {
        "pods": "2",
        "requests.cpu": "1",
        "requests.memory": "1Gi",
        "limits.memory": "1Gi",
    }


def test_the_shop_may_hold_all_replicas_the_old_ones_that_still_end_and_the_migration(
    prod: Environment,
) -> None:
    backend, frontend = prod.shop.backend, prod.shop.frontend
    assert (backend.surge, frontend.surge) == (3, 2)  # a quarter of 10 and of 8, rounded up
    assert (backend.most_pods, frontend.most_pods) == (20, 16)
    assert prod.shop.quota["pods"] == "37"


def test_the_edge_may_hold_its_proxies_with_their_sidecars_and_two_node_ports(prod: Environment) -> None:
    assert prod.edge.proxies.most_pods == 12
    assert prod.edge.quota == {
        "pods": "12",
        "requests.cpu": "12120m",
        "requests.memory": "7680Mi",
        "limits.memory": "7680Mi",
        "services.nodeports": "2",
    }


def test_a_client_has_the_whole_limit_spread_over_the_proxies(prod: Environment) -> None:
    proxies = prod.edge.proxies.replicas.min
    limit = prod.edge.rate_limit
    share = prod.edge.requests_per_second_per_proxy
    assert (share - 1) * proxies < limit.requests_per_second <= share * proxies
    share = prod.edge.checkouts_per_minute_per_proxy
    assert (share - 1) * proxies < limit.checkouts_per_minute <= share * proxies


@pytest.mark.parametrize(
    ("name", "nodes", "more", "storage_class"),
    [("dev", 4, 1, "local-path"), ("staging", 9, 6, "gp3"), ("prod", 12, 6, "gp3")],
)
def test_agents_run_on_every_node(name: str, nodes: int, more: int, storage_class: str) -> None:
    cluster = load_environment(ROOT / "environments" / f"{name}.yaml", ROOT).environment.cluster
    assert cluster.max_nodes == nodes
    assert cluster.agent_pods == 2 * (nodes + more)  # also while nodes are replaced
    assert cluster.storage_class == storage_class
