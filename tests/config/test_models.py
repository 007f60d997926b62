"""What follows from an environment's values without being written down."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.config.aws import Network
from generator.config.base import byte_count, millicores, seconds
from generator.config.database import Backups
from generator.config.load import load_environment
from generator.config.names import SECRETS, Names
from generator.config.shop import Sale

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


@given(prefix=st.integers(16, 20), octet=st.integers(0, 255))
def test_subnets_lie_in_the_vpc_and_apart(prefix: int, octet: int) -> None:
    network = Network(cidr=f"10.{octet}.0.0/{prefix}", zones=("a", "b", "c"), nat="single")
    tiers = (network.private_subnets, network.public_subnets, network.data_subnets)
    subnets = [IPv4Network(subnet) for tier in tiers for subnet in tier.values()]
    assert len(subnets) == 9
    assert all(subnet.subnet_of(IPv4Network(network.cidr)) for subnet in subnets)
    assert not any(first.overlaps(second) for first, second in combinations(subnets, 2))


def test_a_zone_keeps_its_subnet_when_another_is_added() -> None:
    two = Network(cidr="10.0.0.0/16", zones=("a", "c"), nat="single")
    three = Network(cidr="10.0.0.0/16", zones=("a", "b", "c"), nat="single")
    assert two.private_subnets.items() <= three.private_subnets.items()
    assert two.data_subnets == {"a": "10.0.224.0/22", "c": "10.0.232.0/22"}


@pytest.mark.parametrize(("text", "value"), [("500m", 500), ("1", 1000), ("1.5", 1500), ("0.25", 250)])
def test_millicores(text: str, value: int) -> None:
    assert millicores(text) == value


def test_sizes_and_durations() -> None:
    assert byte_count("512Mi") == 536_870_912
    assert seconds("2w") == 14 * seconds("1d") == 1_209_600
    backups = {"retention": "2w", "lock": "20d", "copies": "5w", "restoreDrill": "weekly"}
    days = Backups.model_validate(backups)
    assert (days.retention_days, days.lock_days, days.copy_days, days.expiry_days) == (14, 20, 35, 36)


def test_load_of_the_sale() -> None:
    sale = Sale.model_validate({"concurrentUsers": 11_000, "secondsBetweenActions": 5.5, "orderShare": 0.05})
    assert (sale.actions_per_second, sale.orders_per_second) == (2000, 100)


def test_names_of_cloud_resources() -> None:
    names = Names("prod", "111122223333")
    assert names.cluster == names.database == "dhakacart-prod"
    assert names.logs_bucket == "dhakacart-prod-loki-111122223333"
    assert names.backup_bucket == "dhakacart-prod-backup-111122223333"
    assert names.role("loki") == "dhakacart-prod-loki"
    assert {names.secret(name) for name in SECRETS} == {f"dhakacart/prod/{name}" for name in SECRETS}
    with pytest.raises(KeyError):
        names.secret("shop-databse")


def test_the_longest_name_stays_within_the_limits_of_aws() -> None:
    """S3 buckets have at most 63 characters, IAM roles 64, RDS identifiers 63."""
    names = Names("x" * 20, "1" * 12)
    assert len(names.backup_bucket) <= 63
    assert len(names.database) <= 63
    assert len(names.role("cluster-autoscaler")) <= 64


def test_cpu_may_be_written_as_a_number() -> None:
    shop = load_environment(ENVIRONMENTS / "prod.yaml").environment.shop
    assert shop.backend.resources.kubernetes == {
        "requests": {"cpu": "1", "memory": "512Mi"},
        "limits": {"memory": "512Mi"},
    }
    assert shop.backend.connections == shop.backend.pool_size + 2
    assert shop.online_payments == ("bkash", "nagad", "sslcommerz")


def test_what_is_critical() -> None:
    critical = {
        name: load_environment(ENVIRONMENTS / f"{name}.yaml").environment.critical
        for name in ("dev", "staging", "prod")
    }
    assert critical == {"dev": False, "staging": True, "prod": True}
