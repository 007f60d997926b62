"""Every stack of an environment planned and applied in order, as one would do it in an empty account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verify.aws import Moto, make_bucket, moto, override
from verify.gaps import without_gaps
from verify.plans import Plan, plan_of
from verify.terraform import FailedError, Folder
from verify.tree import Stack, copy

FIRST = "bootstrap"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one stack fared. `plan` is of the whole stack; what moto lacks (`left_out`) is not applied."""

    stack: Stack
    folder: Folder
    plan: Plan
    left_out: list[str] = field(default_factory=list)
    again: Plan | None = None


def rehearse(
    environment: str,
    stacks: Mapping[str, Stack],
    scratch: Path,
    server: Moto,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Rehearsed]:
    """Plan, apply, and plan again each stack (lifecycle → stack, in order); the first failure ends it."""
    done: dict[str, Rehearsed] = {}
    if FIRST not in stacks:
        make_bucket(server, next(iter(stacks.values())))
    for lifecycle, stack in stacks.items():
        told(f"{environment}/{lifecycle} …")
        done[lifecycle] = _one(environment, lifecycle, stack, scratch / environment / lifecycle, server)
        if done[lifecycle].plan.problem:
            break
    return done


def _one(environment: str, lifecycle: str, stack: Stack, path: Path, server: Moto) -> Rehearsed:
    first = lifecycle == FIRST  # makes the bucket that its own state moves to
    folder = Folder(copy(stack, path, override=override(stack, local=first)), server.environment)
    try:
        folder.init()
        plan = plan_of(environment, lifecycle, folder.plan("-out=saved.plan"))
        if plan.problem:
            return Rehearsed(stack, folder, plan)
        applied, left_out = without_gaps(stack)
        if left_out:
            copy(applied, path)
        folder.apply(*([] if left_out else ["saved.plan"])).checked()
        if first:
            copy(applied, path, override=override(stack))
            folder.init(migrate=True)
        return Rehearsed(stack, folder, plan, left_out, plan_of(environment, lifecycle, folder.plan()))
    except FailedError as error:
        return Rehearsed(stack, folder, Plan(environment, lifecycle, problem=str(error)))


def account_of(stacks: Mapping[str, Stack]) -> str:
    """The account that an environment's stacks are for."""
    provider = next(iter(stacks.values()))["provider"]["aws"][0]
    return str(provider["allowed_account_ids"][0])


def rehearse_alone(
    environment: str, stacks: Mapping[str, Stack], scratch: Path, told: Callable[[str], None]
) -> dict[str, Rehearsed]:
    """The same with a server that lives as long."""
    with moto(account_of(stacks)) as server:
        return rehearse(environment, stacks, scratch, server, told)
