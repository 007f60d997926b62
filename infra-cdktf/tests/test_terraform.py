"""Terraform itself, with the real provider, over every stack of every environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from dhakacart_infra.app import ORDER
from verify.aws import moto
from verify.rehearsal import Rehearsed, account_of, rehearse
from verify.terraform import MissingError, each, executable, validate_all
from verify.tree import Key

from tests.conftest import Stacks

ENVIRONMENTS = ("dev", "staging", "prod")
Results = Mapping[Key, Rehearsed]
EVERY = [pytest.param(name, stack, id=f"{name}-{stack}") for name in ENVIRONMENTS for stack in ORDER]


@pytest.fixture(scope="session", autouse=True)
def program() -> None:
    """Terraform; on a laptop without it these tests are skipped, in CI they fail."""
    try:
        executable()
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def rehearsed(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """Every stack applied to an empty account, in order; the accounts are there until the run ends."""
    scratch = tmp_path_factory.mktemp("rehearsal")
    of = {name: {stack: stacks[name, stack] for stack in ORDER} for name in ENVIRONMENTS}
    with ExitStack() as servers:
        accounts = {name: servers.enter_context(moto(account_of(of[name]))) for name in ENVIRONMENTS}
        done = each(lambda name: rehearse(name, of[name], scratch, accounts[name]), ENVIRONMENTS)
        by_name = dict(zip(ENVIRONMENTS, done, strict=True))
        yield {(name, stack): one for name in ENVIRONMENTS for stack, one in by_name[name].items()}


@pytest.fixture(scope="session")
def validated(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Key, list[str]]:
    """What `terraform validate` says of each stack."""
    return validate_all(stacks, tmp_path_factory.mktemp("validate"))


@pytest.mark.parametrize(("name", "stack"), EVERY)
def test_terraform_takes_it(validated: Mapping[Key, list[str]], name: str, stack: str) -> None:
    assert validated[name, stack] == []


@pytest.mark.parametrize(("name", "stack"), EVERY)
def test_it_is_planned_and_applied_in_order(rehearsed: Results, name: str, stack: str) -> None:
    assert (name, stack) in rehearsed, "a stack before it failed"
    plan = rehearsed[name, stack].plan
    assert plan.problem == ""
    assert (plan.change, plan.destroy) == (0, 0)
    assert plan.add == sum(len(named) for named in rehearsed[name, stack].stack["resource"].values())


@pytest.mark.parametrize(("name", "stack"), EVERY)
def test_a_second_plan_changes_nothing(rehearsed: Results, name: str, stack: str) -> None:
    again = rehearsed[name, stack].again
    assert again is not None
    assert (again.problem, again.touched) == ("", ())


def test_what_production_keeps_can_not_be_destroyed(rehearsed: Results) -> None:
    refused = "\n".join(rehearsed["prod", "network"].folder.plan("-destroy").errors)
    assert "aws_vpc.vpc" in refused
    assert "prevent_destroy" in refused
