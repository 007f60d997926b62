"""What the verbs say: what a plan is in a table, and what is wrong when it cannot be made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dhakacart_infra.inputs import ORDER
from verify import __main__ as verbs
from verify.gaps import Gap, with_stand_ins, without_gaps
from verify.plans import Plan, plan_of, table
from verify.terraform import Run


def events(*messages: dict[str, Any]) -> str:
    return "\n".join(json.dumps(message) for message in messages)


def test_a_plan_is_counted_and_its_resources_named() -> None:
    change = {"type": "planned_change", "change": {"action": "create", "resource": {"addr": "aws_vpc.vpc"}}}
    summary = {"type": "change_summary", "changes": {"add": 1, "change": 0, "remove": 2}}
    plan = plan_of("prod", "network", Run(2, events(change, summary), ""))
    assert plan == Plan("prod", "network", add=1, destroy=2, touched=("create aws_vpc.vpc",))


def test_a_plan_that_failed_says_where_and_why() -> None:
    said = {"severity": "error", "summary": "No", "detail": "Because.", "address": "aws_vpc.vpc"}
    plan = plan_of("prod", "network", Run(1, events({"type": "diagnostic", "diagnostic": said}), ""))
    assert plan.problem == "aws_vpc.vpc: No\n  Because."
    assert table([Plan("prod", "data", add=3), plan]).splitlines() == [
        "stack                   add change destroy",
        "prod/data                 3      0       0",
        "prod/network           not planned",
        "",
        "prod/network: aws_vpc.vpc: No",
        "  Because.",
    ]


def test_without_terraform_it_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(verbs.main, ["validate"])
    assert result.exit_code == 2
    assert "https://developer.hashicorp.com/terraform/install" in result.output


def test_an_environment_that_is_none_is_said_to_be_none(terraform: str) -> None:
    result = CliRunner().invoke(verbs.main, ["plan", "produ"])
    assert result.exit_code == 2
    assert "is produ an environment?" in result.output


def test_every_committed_stack_is_valid(terraform: str) -> None:
    result = CliRunner().invoke(verbs.main, ["validate"])
    assert result.output.splitlines()[-1] == f"{3 * len(ORDER)} stacks are valid, 0 are not"
    assert result.exit_code == 0


def test_what_needs_a_gap_is_left_out_and_what_only_comes_after_it_stays() -> None:
    stack: dict[str, Any] = {
        "resource": {
            "aws_a": {"gap": {"x": 1}},
            "aws_b": {"needs": {"x": "${aws_a.gap.id}"}, "after": {"depends_on": ["aws_a.gap"]}},
            "aws_c": {"needs-too": {"x": ["${aws_b.needs.id}"]}},
        },
        "output": {"lost": {"value": "${aws_c.needs-too.id}"}},
    }
    kept, left_out = without_gaps(stack, {"aws_a": Gap("no")}, eks=False)
    assert kept == {"resource": {"aws_b": {"after": {}}}}
    assert left_out == ["aws_a.gap", "aws_b.needs", "aws_c.needs-too"]


def test_a_gap_of_eks_is_none_on_k3s() -> None:
    stack: dict[str, Any] = {"resource": {"aws_a": {"b": {}}}}
    assert without_gaps(stack, {"aws_a": Gap("no", eks=True)}, eks=False) == (stack, [])


def test_a_data_source_that_moto_lacks_has_a_stand_in() -> None:
    stack = {
        "data": {"aws_eks_addon_version": {"cni": {}}},
        "resource": {"aws_eks_addon": {"cni": {"v": "${data.aws_eks_addon_version.cni.version}"}}},
    }
    assert with_stand_ins(stack) == {"resource": {"aws_eks_addon": {"cni": {"v": "v1.0.0-eksbuild.1"}}}}
