"""What an environment costs: counted from its file, priced by facts, and never less for not knowing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.config.base import byte_count
from generator.config.environment import Environment
from generator.config.load import load_environment
from generator.report import cost_page
from generator.report.cost import BY_USE, Line, at_fewest, at_most, costs, volumes_gib

ROOT = Path(__file__).parents[2]
NAMES = ("dev", "staging", "prod")


def environment(name: str) -> Environment:
    return load_environment(ROOT / "environments" / f"{name}.yaml", ROOT).environment


def lines(name: str) -> dict[str, Line]:
    return {line.what: line for line in costs(environment(name))}


def test_nodes_from_their_minimum_to_their_maximum() -> None:
    nodes = lines("prod")["Nodes m7g.xlarge"]
    assert (nodes.fewest, nodes.most) == (3, 12)
    assert nodes.cost(12) == Decimal("0.204") * 730 * 12


def test_multi_az_is_paid_for_twice_storage_too() -> None:
    prod, dev = lines("prod"), lines("dev")
    assert prod["Database db.m7g.large"].most == 2
    assert (prod["Storage of the database"].fewest, prod["Storage of the database"].most) == (200, 400)
    assert dev["Database db.t4g.medium"].cost(1) == Decimal("0.102") * 730
    assert dev["Storage of the database"].fewest == 20


def test_a_gateway_a_zone_or_one_and_an_address_each() -> None:
    assert {name: lines(name)["NAT gateways"].fewest for name in NAMES} == {"dev": 1, "staging": 1, "prod": 3}
    assert {name: lines(name)["Public addresses"].fewest for name in NAMES} == {
        "dev": 1 + 2,
        "staging": 1 + 3,
        "prod": 3 + 3,
    }


def test_each_kind_of_cluster_pays_for_its_own() -> None:
    assert "Control plane" in lines("prod")
    assert lines("prod")["Control plane"].cost(1) == 73
    assert "2027-03-27" in lines("prod")["Control plane"].note
    assert "Control plane" not in lines("dev")
    assert "Servers t4g.medium" in lines("dev")
    assert lines("dev")["Secrets"].fewest == lines("prod")["Secrets"].fewest + 1  # 2 tokens, but cash only


def test_what_is_unknown_is_named_and_not_counted_as_nothing() -> None:
    known = Line("Nodes", 2, 4, "", Decimal(10))
    unknown = Line("Database", 1, 1, "", None)
    later = Line("Cache", 0, 1, "", None)
    assert at_fewest([known, unknown, later]) == (Decimal(20), ("Database",))
    assert at_most([known, unknown, later]) == (Decimal(40), ("Database", "Cache"))
    assert at_fewest([unknown]) == (Decimal(0), ("Database",))


@pytest.mark.parametrize("name", NAMES)
def test_the_sum_is_that_of_its_lines(name: str) -> None:
    counted = costs(environment(name))
    known = [line for line in counted if line.usd is not None]
    assert at_most(counted).usd == sum(line.usd * line.most for line in known if line.usd is not None)
    assert at_fewest(counted).usd < at_most(counted).usd
    assert len(at_most(counted).unknown) == len(counted) - len(known)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_volumes_are_those_of_the_charts_values(name: str) -> None:
    def values(app: str) -> Any:
        return yaml.safe_load((ROOT / "clusters" / name / "values" / f"{app}.yaml").read_text("utf-8"))

    def claimed(claim: Any) -> int:
        return byte_count(claim["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]) // 2**30

    stack, loki = values("kube-prometheus-stack"), values("loki")["singleBinary"]
    prometheus, alertmanager = (
        stack["prometheus"]["prometheusSpec"],
        stack["alertmanager"]["alertmanagerSpec"],
    )
    assert volumes_gib(environment(name)) == (
        prometheus["replicas"] * claimed(prometheus["storageSpec"])
        + alertmanager["replicas"] * claimed(alertmanager["storage"])
        + loki["replicas"] * byte_count(loki["persistence"]["size"]) // 2**30
    )


class TestPage:
    @pytest.fixture(scope="class")
    @staticmethod
    def text() -> str:
        return cost_page.page([environment(name) for name in NAMES])

    def test_every_environment_has_its_sums(self, text: str) -> None:
        for name in NAMES:
            total = at_most(costs(environment(name)))
            assert f"| **{name}** |" in text
            assert f"${total.usd:,.2f}" in text

    def test_unknown_is_said_where_it_counts(self, text: str) -> None:
        row = next(line for line in text.splitlines() if line.startswith("| Database db.m7g.large"))
        assert row.count("unknown") == 3
        assert "plus what is unknown: database db.m7g.large." in text

    def test_prices_of_use_are_there_with_their_sources(self, text: str) -> None:
        assert all(f"| {what} |" in text for what, _ in BY_USE)
        assert "AWS price list of the region" in text
        assert "searched for on this day" not in text

    def test_prices_below_a_cent_are_not_rounded_away(self, text: str) -> None:
        assert "| Requests through the load balancer | $0.008 | LCU-hour |" in text


def test_the_same_environments_make_the_same_page() -> None:
    make: Callable[[], str] = lambda: cost_page.page([environment("prod")])  # noqa: E731
    assert make() == make()
