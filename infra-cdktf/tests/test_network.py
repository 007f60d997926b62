"""The network that every environment gets."""

from __future__ import annotations

import pytest

from generator.config.infrastructure import Infrastructure
from tests.conftest import Stacks


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_only_the_public_tier_has_a_way_in_and_the_data_tier_none_out(stacks: Stacks, name: str) -> None:
    routes = stacks[name, "network"]["resource"]["aws_route"]
    internet = [route for route in routes.values() if "gateway_id" in route]
    assert [route["route_table_id"] for route in internet] == ["${aws_route_table.routes-public.id}"]
    assert not [route for route in routes.values() if "routes-data" in route["route_table_id"]]


def test_nat_is_one_a_zone_where_a_zone_may_be_lost(
    stacks: Stacks, environments: dict[str, Infrastructure]
) -> None:
    for name, environment in environments.items():
        found = stacks[name, "network"]["resource"]["aws_nat_gateway"]
        wanted = len(environment.aws.network.zones) if environment.aws.network.nat == "per-zone" else 1
        assert len(found) == wanted, name
