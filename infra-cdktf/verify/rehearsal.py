"""Every stack of an environment planned and applied in order, as one would do it in an empty account."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from verify.aws import Moto, make_bucket, override, prepare
from verify.gaps import GAPS, SLOW, Gap, with_stand_ins, without_gaps
from verify.plans import Plan, plan_of
from verify.terraform import NICE, FailedError, Folder
from verify.tree import Stack, copy

FIRST = "bootstrap"
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one stack fared. `plan` is of the whole stack; what moto lacks (`left_out`) is not applied."""

    stack: Stack
    folder: Folder
    plan: Plan
    left_out: list[str] = field(default_factory=list)
    again: Plan | None = None
    slowest: str = ""


def rehearse(
    environment: str,
    stacks: Mapping[str, Stack],
    scratch: Path,
    server: Moto,
    *,
    gaps: Mapping[str, Gap] = {**GAPS, **SLOW},
    nice: int = 0,
    told: Told = lambda _: None,
) -> dict[str, Rehearsed]:
    """Plan, apply, and plan again each stack (lifecycle → stack, in order) once what it needs is there.

    The second plan goes on beside what comes next. A stack that needs one that failed is not in the answer.
    """
    eks = any("aws_eks_cluster" in stack["resource"] for stack in stacks.values())
    prepare(server, stacks.values())
    if FIRST not in stacks:
        make_bucket(server, next(iter(stacks.values())))
    applied: dict[str, Future[Rehearsed | None]] = {}
    second: dict[str, Future[Plan]] = {}

    def one(lifecycle: str) -> Rehearsed | None:
        stack = stacks[lifecycle]
        before = [applied[each].result() for each in _needs(stack) if each in applied and each != lifecycle]
        if any(each is None or each.plan.problem for each in before):
            return None
        begun = time.monotonic()
        possible, left_out = without_gaps(with_stand_ins(stack), gaps, eks=eks)
        folder = Folder(scratch / environment / lifecycle, server.environment, nice=nice)
        made = _one(environment, lifecycle, stack, possible, left_out, folder)
        told(f"{environment}/{lifecycle}: {time.monotonic() - begun:.0f} s, longest {made.slowest}")
        if not made.plan.problem:
            second[lifecycle] = beside.submit(_again, environment, lifecycle, stack, folder)
        return made

    with ThreadPoolExecutor(max_workers=2 * len(stacks)) as beside:
        for lifecycle in stacks:
            applied[lifecycle] = beside.submit(one, lifecycle)
        made = {lifecycle: future.result() for lifecycle, future in applied.items()}
    return {
        lifecycle: replace(one, again=second[lifecycle].result()) if lifecycle in second else one
        for lifecycle, one in made.items()
        if one
    }


def _needs(stack: Stack) -> list[str]:
    """The stacks that must be there before this one: whose state it reads, and the one that keeps states."""
    states = stack.get("data", {}).get("terraform_remote_state", {}).values()
    return [FIRST, *(state["config"]["key"].removesuffix(".tfstate") for state in states)]


def _again(environment: str, lifecycle: str, stack: Stack, folder: Folder) -> Plan:
    """Plan what was just applied; the folder has the whole stack afterwards."""
    try:
        return plan_of(environment, lifecycle, replace(folder, nice=NICE).plan())
    except FailedError as error:
        return Plan(environment, lifecycle, problem=str(error))
    finally:
        copy(with_stand_ins(stack), folder.path)


def _one(
    environment: str, lifecycle: str, stack: Stack, applied: Stack, left_out: list[str], folder: Folder
) -> Rehearsed:
    first = lifecycle == FIRST  # makes the bucket that its own state moves to
    whole = with_stand_ins(stack)
    copy(whole, folder.path, override=override(stack, local=first))
    try:
        folder.init()
        plan = plan_of(environment, lifecycle, folder.plan())
        if plan.problem:
            return Rehearsed(stack, folder, plan)
        copy(applied, folder.path)
        applied_by = folder.apply().checked()
        if first:
            copy(applied, folder.path, override=override(stack))
            folder.init(migrate=True)
        return Rehearsed(stack, folder, plan, left_out, slowest=applied_by.slowest)
    except FailedError as error:
        return Rehearsed(stack, folder, Plan(environment, lifecycle, problem=str(error)))


def account_of(stacks: Mapping[str, Stack]) -> str:
    """The account that an environment's stacks are for."""
    provider = next(iter(stacks.values()))["provider"]["aws"][0]
    return str(provider["allowed_account_ids"][0])
