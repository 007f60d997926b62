"""Edits as a pull request brings them, each with exactly the plan that follows where all is applied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from dhakacart_infra.app import synthesize
from dhakacart_infra.inputs import ROOT
from verify.gaps import GAPS, SLOW, Gap, with_stand_ins, without_gaps
from verify.plans import Plan, plan_of
from verify.rehearsal import Rehearsed
from verify.tree import Key, Stack, copy

from generator.config.infrastructure import infrastructure
from generator.config.load import load_environment
from tests.conftest import Rehearsal

ENVIRONMENT = "prod"


@dataclass(frozen=True, slots=True)
class Edit:
    """One text of the environment's file for another, and all that it plans, by stack."""

    name: str
    old: str
    new: str
    plans: Mapping[str, tuple[str, ...]]


EDITS = (
    Edit(
        "three nodes more",
        "max: 12",
        "max: 15",
        {"cluster": tuple(f"update aws_eks_node_group.nodes-{zone}" for zone in "abc")},
    ),
    Edit(
        "one way out in place of three",
        "zones: [a, b, c]",
        "zones: [a, b, c]\n    nat: single",
        {
            "network": (
                *(f"delete aws_eip.nat-address-{zone}" for zone in "bc"),
                *(f"delete aws_nat_gateway.nat-{zone}" for zone in "bc"),
                *(f"update aws_route.private-{zone}-nat" for zone in "bc"),
            )
        },
    ),
)

LARGER = Edit(
    "a larger database",
    "db.m7g.large",
    "db.m7g.xlarge",
    {
        "data": (
            "update aws_cloudwatch_metric_alarm.database-connections-alarm",
            "update aws_cloudwatch_metric_alarm.database-memory-alarm",
            "update aws_db_instance.database",
        )
    },
)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[Key, Stack]]:
    """Edit → all stacks as they would be after it."""
    made = {}
    for edit in (*EDITS, LARGER):
        folder = tmp_path_factory.mktemp("edit")
        text = (ROOT / "environments" / f"{ENVIRONMENT}.yaml").read_text()
        assert text.count(edit.old) == 1, edit.name
        file = folder / f"{ENVIRONMENT}.yaml"
        file.write_text(text.replace(edit.old, edit.new))
        environment = infrastructure(load_environment(file, folder).environment)
        stacks = synthesize([environment], folder / "out")
        made[edit.name] = {key: json.loads(content) for key, content in stacks.items()}
    return made


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name.replace(" ", "-"))
def test_an_edit_plans_this_and_no_more(
    edit: Edit, edited: dict[str, dict[Key, Stack]], rehearsal: Rehearsal
) -> None:
    before = rehearsal[ENVIRONMENT].result()
    after = edited[edit.name]
    changed = [stack for (_, stack), content in after.items() if content != before[stack].stack]
    assert changed == list(edit.plans), "other stacks stay as they are, byte by byte"
    for stack, touched in edit.plans.items():
        plan = _planned(before[stack], stack, after[ENVIRONMENT, stack], {**GAPS, **SLOW})
        assert (plan.problem, plan.touched) == ("", touched)


@pytest.mark.slow
def test_a_larger_database_is_changed_in_place(
    edited: dict[str, dict[Key, Stack]], database: Rehearsed
) -> None:
    plan = _planned(database, "data", edited[LARGER.name][ENVIRONMENT, "data"], GAPS)
    assert (plan.problem, plan.touched) == ("", LARGER.plans["data"])


def _planned(one: Rehearsed, lifecycle: str, stack: Stack, gaps: Mapping[str, Gap]) -> Plan:
    """The plan of a stack over one that was applied, which stays as it is."""
    applied, _ = without_gaps(with_stand_ins(stack), gaps, eks=True)
    folder: Path = one.folder.path
    try:
        copy(applied, folder)
        return plan_of(ENVIRONMENT, lifecycle, one.folder.plan())
    finally:
        copy(with_stand_ins(one.stack), folder)
