"""Sizes of machines and databases against figures worked out by hand, and their prices."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest

from generator.facts import ec2, prices, rds

# type → pods with one address each, pods with prefixes, dollars a month rounded to the cent
PODS = {
    "t3.small": (11, 110, "19.27"),
    "t3.medium": (17, 110, "38.54"),
    "t3.large": (35, 110, "77.09"),
    "t4g.medium": (17, 110, "30.95"),
    "t4g.large": (35, 110, "61.90"),
    "t4g.xlarge": (58, 110, "123.81"),
    "m7g.medium": (8, 98, "37.23"),
    "m7g.large": (29, 110, "74.46"),
    "m7g.xlarge": (58, 110, "148.92"),
    "m7g.2xlarge": (58, 110, "297.84"),
    "m7i.large": (29, 110, "91.98"),
    "m7i.xlarge": (58, 110, "183.96"),
    "m7i.2xlarge": (58, 110, "367.92"),
    "m6i.large": (29, 110, None),
    "m6i.xlarge": (58, 110, None),
    "c7g.large": (29, 110, None),
    "c7g.xlarge": (58, 110, None),
    "r7g.large": (29, 110, None),
    "r7g.xlarge": (58, 110, None),
    "m8g.large": (29, 110, None),
}
# class → nominal max_connections, connections to plan with
CONNECTIONS = {
    "db.t4g.micro": (112, 97),
    "db.t4g.small": (225, 199),
    "db.t4g.medium": (450, 402),
    "db.t4g.large": (901, 807),
    "db.m7g.large": (901, 807),
    "db.m7g.xlarge": (1802, 1618),
    "db.m7g.2xlarge": (3604, 3240),
    "db.r7g.large": (1802, 1618),
    "db.r7g.xlarge": (3604, 3240),
    "db.r7g.2xlarge": (5000, 4497),
}


def test_pods_and_prices_of_every_type() -> None:
    found = {
        name: (one.max_pods, one.max_pods_with_prefixes, one.monthly_usd and f"{one.monthly_usd:.2f}")
        for name, one in ec2.instances().items()
    }
    assert found == PODS


def test_connections_of_every_class() -> None:
    found = {name: (one.max_connections, one.usable_connections) for name, one in rds.classes().items()}
    assert found == CONNECTIONS


def test_graviton_and_only_graviton_is_arm64() -> None:
    assert {name for name, one in ec2.instances().items() if one.arch == "arm64"} == {
        name for name in ec2.instances() if name.split(".")[0].endswith("g")
    }


def test_a_price_says_how_good_it_is_and_an_unknown_one_does_not() -> None:
    for one in ec2.instances().values():
        assert (one.hourly_usd is None) == (one.price_basis is None)
        assert one.price_basis in {"seen", "linear", "inferred", None}
    assert ec2.instances()["m8g.large"].monthly_usd is None


def test_large_types_may_have_250_pods_with_prefixes() -> None:
    huge = replace(ec2.instances()["m7g.2xlarge"], vcpu=64, enis=15, ips_per_eni=50)
    assert huge.max_pods_with_prefixes == 250


@pytest.mark.parametrize(
    ("cpu", "reserved"),
    [(500, 30), (1000, 60), (2000, 70), (3000, 75), (4000, 80), (8000, 90), (16000, 110)],
)
def test_reserved_cpu(cpu: int, reserved: int) -> None:
    assert ec2.reserved_millicores(cpu) == reserved


class TestAllocatable:
    def test_of_a_type(self) -> None:
        # 8192 MiB less 7.5 % is 7577; kubelet keeps 255 + 11 × 29 = 574, and 100 before it evicts.
        assert ec2.instances()["m7g.large"].allocatable() == (1930, 7577 - 574 - 100, 29)

    def test_more_pods_leave_less_memory(self) -> None:
        one = ec2.instances()["m7g.large"]
        assert one.allocatable(110) == (1930, 7577 - (255 + 11 * 110) - 100, 110)

    def test_nothing_is_negative(self) -> None:
        for one in ec2.instances().values():
            assert min(one.allocatable()) > 0
            assert one.allocatable().memory_mib < one.memory_mib


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ec2.instances()["m7g.large"].vcpu = 4  # type: ignore[misc]


class TestPrices:
    def test_the_region_is_asked_first_then_all_regions(self) -> None:
        assert prices.price("nat-gateway", "ap-southeast-1").usd == Decimal("0.059")
        assert prices.price("nat-gateway", "us-east-1").usd == Decimal("0.045")
        assert prices.price("eks-control-plane", "ap-southeast-1").usd == Decimal("0.1")

    def test_unknown_is_none_and_unheard_of_an_error(self) -> None:
        assert prices.price("nlb", "ap-southeast-1").usd is None
        with pytest.raises(KeyError):
            prices.price("nlb", "us-east-1")


def test_classes_that_live_on_credits_are_those_of_the_t_families() -> None:
    assert {name for name, one in rds.classes().items() if one.burstable} == {
        f"db.t4g.{size}" for size in ("micro", "small", "medium", "large")
    }
