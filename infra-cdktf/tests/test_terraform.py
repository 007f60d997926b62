"""Terraform itself, with the real provider, over every stack of every environment.

The rehearsal begins with the run and goes on beside the other tests, for most of it is waiting. `-m slow`
waits for the database too.
"""

from __future__ import annotations

from copy import deepcopy

import pytest
from dhakacart_infra.inputs import ORDER
from verify.gaps import FORGOTTEN, GAPS, SLOW, STAND_INS
from verify.rehearsal import Rehearsed
from verify.tree import copy

from tests.conftest import ENVIRONMENTS, Rehearsal, Stacks

EVERY = [pytest.param(name, stack, id=f"{name}-{stack}") for name in ENVIRONMENTS for stack in ORDER]


@pytest.mark.parametrize(("name", "stack"), EVERY)
def test_it_is_planned_and_applied_in_order(rehearsal: Rehearsal, name: str, stack: str) -> None:
    rehearsed = rehearsal[name].result()
    assert stack in rehearsed, "a stack that it needs failed"
    plan = rehearsed[stack].plan
    assert plan.problem == ""
    assert (plan.change, plan.destroy) == (0, 0)
    assert plan.add == sum(len(named) for named in rehearsed[stack].stack["resource"].values())


@pytest.mark.parametrize(("name", "stack"), EVERY)
def test_a_second_plan_changes_nothing(rehearsal: Rehearsal, name: str, stack: str) -> None:
    again = rehearsal[name].result()[stack].again
    assert again is not None
    assert (again.problem, again.touched) == ("", ())


def _refused(one: Rehearsed) -> str:
    return "\n".join(one.folder.plan("-destroy", "-refresh=false").errors)


@pytest.mark.parametrize(
    ("stack", "kept"),
    [
        ("bootstrap", "aws_s3_bucket.state-bucket"),
        ("network", "aws_vpc.vpc"),
        ("data", "aws_s3_bucket.backup-bucket"),
    ],
)
def test_what_production_keeps_can_not_be_destroyed(rehearsal: Rehearsal, stack: str, kept: str) -> None:
    words = _refused(rehearsal["prod"].result()[stack])
    assert kept in words
    assert "prevent_destroy" in words


def test_a_change_that_would_replace_the_network_is_refused(rehearsal: Rehearsal) -> None:
    network = rehearsal["prod"].result()["network"]
    folder, stack = network.folder, network.stack
    moved = deepcopy(stack)
    moved["resource"]["aws_vpc"]["vpc"]["cidr_block"] = "10.31.0.0/16"
    try:
        copy(moved, folder.path)
        words = "\n".join(folder.plan("-refresh=false").errors)
    finally:
        copy(stack, folder.path)
    assert "aws_vpc.vpc" in words
    assert "prevent_destroy" in words


def test_what_is_not_applied_is_what_moto_lacks(rehearsal: Rehearsal, stacks: Stacks) -> None:
    """The tables have no line too many; that moto still lacks it, test_gaps.py asks moto."""
    kinds = {kind for stack in stacks.values() for kind in stack["resource"]}
    sources = {kind for stack in stacks.values() for kind in stack.get("data", {})}
    assert GAPS.keys() | SLOW.keys() | FORGOTTEN.keys() <= kinds
    assert STAND_INS.keys() <= sources
    all_of_them = [one for environment in rehearsal.values() for one in environment.result().values()]
    left_out = {address.split(".")[0] for one in all_of_them for address in one.left_out}
    assert left_out >= GAPS.keys() | SLOW.keys()


@pytest.mark.slow
def test_the_database_too(database: Rehearsed) -> None:
    assert database.plan.problem == ""
    assert not any("aws_db_instance" in address for address in database.left_out)
    assert database.again is not None
    assert (database.again.problem, database.again.touched) == ("", ())
    assert "aws_db_instance.database" in _refused(database)
