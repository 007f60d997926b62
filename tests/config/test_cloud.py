"""What infrastructure reads of an environment: connections, addresses, secrets, identities, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.config.cluster import EksCluster, K3sCluster, NodeGroup, Pool
from generator.config.environment import Environment, GitOps
from generator.config.load import load_environment
from generator.config.names import SECRETS, Names
from generator.config.workloads import WORKLOADS
from generator.facts.ec2 import Allocatable, instances

ROOT = Path(__file__).parents[2]


def environment(name: str) -> Environment:
    return load_environment(ROOT / "environments" / f"{name}.yaml", ROOT).environment


def test_connections_are_those_of_every_client_at_full_load_and_of_people() -> None:
    prod = environment("prod")
    assert [(one.name, one.connections) for one in prod.database_clients] == [
        ("shop-backend", 13 * 6),
        ("migration", 2),
        ("exporter", 2),
    ]
    assert prod.database_connections == 85
    assert prod.database.usable_connections == 807


def test_every_secret_of_the_database_has_a_client() -> None:
    clients = {client.secret for client in environment("prod").database_clients}
    assert clients == {name for name in SECRETS if name.endswith("-database")}


def test_an_environment_has_the_secrets_that_it_needs() -> None:
    assert environment("prod").secrets == SECRETS
    assert set(environment("dev").secrets) == set(SECRETS) - {"shop-payments"}


def test_one_workload_alone_may_do_each_thing() -> None:
    granted = [permission for workload in WORKLOADS for permission in workload.permissions]
    assert len(granted) == len(set(granted))
    assert len({(one.namespace, one.service_account) for one in WORKLOADS}) == len(WORKLOADS)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_cluster_has_the_workloads_of_its_kind(name: str) -> None:
    found = environment(name)
    eks = {"cluster-autoscaler", "vpc-cni", "ebs-csi"} if found.cluster.kind == "eks" else set()
    assert {one.name for one in found.workloads} == {"external-secrets", "cert-manager", "loki", *eks}


def test_every_workload_with_an_app_is_one_of_ours() -> None:
    apps = {one.app for one in WORKLOADS if one.app}
    assert all((ROOT / "apps" / app / "values.yaml.j2").is_file() for app in apps)


def test_a_zone_that_is_lost_takes_the_biggest_share() -> None:
    room = Allocatable(1, 1, 1)
    assert [Pool("nodes", "", most, room).after_loss(3) for most in (9, 10, 1, 0)] == [6, 6, 0, 0]
    assert Pool("nodes", "", 9, room).after_loss(1) == 0


def test_addresses_of_a_zone_on_eks_are_all_that_its_nodes_can_hold() -> None:
    nodes = {"type": "m7g.xlarge", "min": 3, "max": 9}
    cluster = EksCluster.model_validate({"kind": "eks", "version": "1.35", "nodes": nodes})
    assert cluster.nodes_in_a_zone(3) == 7  # five of nine once a zone is lost, and two of an upgrade
    assert cluster.addresses_in_a_zone(3) == 7 * 4 * 15 + 4
    assert environment("prod").aws.network.private_addresses == 2**13 - 5


def test_nodes_are_spread_over_the_zones_so_that_none_has_more_than_its_loss_is_counted_with() -> None:
    nodes = NodeGroup.model_validate({"type": "m7g.xlarge", "min": 2, "max": 10})
    assert nodes.in_each_zone(3) == ((1, 4), (1, 3), (0, 3))
    assert nodes.in_each_zone(1) == ((2, 10),)
    room = Allocatable(1, 1, 1)
    assert Pool("nodes", "m7g.xlarge", nodes.max, room).after_loss(3) == 10 - 4


def test_k3s_is_installed_in_the_release_that_the_facts_know() -> None:
    dev = environment("dev").cluster
    assert isinstance(dev, K3sCluster)
    assert dev.release.startswith(f"v{dev.version}.")
    with pytest.raises(LookupError, match=r"1\.37"):
        assert dev.model_copy(update={"version": "1.37"}).release


def test_what_nodes_read_when_they_boot_is_not_read_with_the_secrets() -> None:
    names = Names("dev", "1" * 12)
    assert not names.node_secret("server-token").startswith(names.secrets_pattern.removesuffix("*"))


def test_addresses_of_a_zone_on_k3s_are_those_of_its_nodes() -> None:
    sizes = {
        "servers": {"type": "t4g.medium", "count": 3},
        "agents": {"type": "t4g.large", "min": 2, "max": 3},
    }
    said = {"kind": "k3s", "version": "1.35", "podCidr": "10.42.0.0/20", **sizes}
    cluster = K3sCluster.model_validate(said)
    assert (cluster.addresses_in_a_zone(3), cluster.pod_ranges) == (4, 16)
    assert [pool.most for pool in cluster.pools] == [3, 3]


def test_k3s_leaves_what_it_does_not_take_itself() -> None:
    node = instances()["t4g.medium"]
    server, agent = node.allocatable_on_k3s(server=True), node.allocatable_on_k3s(server=False)
    assert server == (1940, 4096 * 925 // 1000 - 1532 - 100, 110)
    assert agent.memory_mib - server.memory_mib == 1532 - 263


def test_the_longest_name_of_an_environment_fits_but_for_one() -> None:
    longest = Names("a" * 20, "1" * 12).limited(one.name for one in WORKLOADS)
    assert {one.of for one in longest if not one.fewest <= len(one.name) <= one.most} == {"a target group"}


def test_logs_expire_after_the_last_line_that_is_kept() -> None:
    assert environment("prod").monitoring.logs.expiry_days == 37


def test_every_role_of_a_deployment_is_within_the_boundary_of_its_account() -> None:
    names = environment("prod").names
    assert names.boundary_arn == f"arn:aws:iam::333344445555:policy/{names.boundary}"


def test_storage_may_double() -> None:
    database = environment("prod").database
    assert (database.storage_gib, database.most_storage_gib) == (100, 200)


@pytest.mark.parametrize(
    ("repository", "subject"),
    [
        ("https://github.com/dhakacart/platform.git", "repo:dhakacart/platform"),
        ("ssh://git@github.com/dhakacart/platform.git", "repo:dhakacart/platform"),
        ("https://github.com.example.org/dhakacart/platform.git", ""),
        ("file:///srv/github.com/dhakacart/platform.git", ""),
    ],
)
def test_tokens_of_workflows_name_the_repository(repository: str, subject: str) -> None:
    assert GitOps.model_validate({"repository": repository, "revision": "main"}).token_subject == subject


def test_tokens_of_a_new_repository_name_its_numbers() -> None:
    ids = {"owner": 7, "repository": 11}
    said = {"repository": "https://github.com/dhakacart/platform.git", "revision": "main", "githubIds": ids}
    assert GitOps.model_validate(said).token_subject == "repo:dhakacart@7/platform@11"


def test_the_firewall_shuts_out_nobody_whom_the_edge_itself_would_serve_in_turn() -> None:
    limit = environment("prod").edge.rate_limit
    assert limit.flood == 10 * 5 * 60 * limit.requests_per_second
