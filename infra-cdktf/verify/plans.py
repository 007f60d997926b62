"""What a plan would do, in numbers and names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from verify.terraform import Run


@dataclass(frozen=True, slots=True)
class Plan:
    """Resources that one stack's plan touches; `problem` is why there is no plan."""

    environment: str
    stack: str
    add: int = 0
    change: int = 0
    destroy: int = 0
    touched: tuple[str, ...] = ()
    problem: str = ""


def plan_of(environment: str, stack: str, run: Run) -> Plan:
    """Read a run of `plan -json`. A replacement counts as one added and one destroyed."""
    if run.code == 1:
        return Plan(environment, stack, problem="\n".join(run.errors))
    counts = next(event["changes"] for event in run.events if event["type"] == "change_summary")
    changes = (event["change"] for event in run.events if event["type"] == "planned_change")
    touched = tuple(sorted(f"{each['action']} {each['resource']['addr']}" for each in changes))
    return Plan(environment, stack, counts["add"], counts["change"], counts["remove"], touched)


def table(plans: Iterable[Plan]) -> str:
    """For a terminal: one line a stack, problems below."""
    chosen = list(plans)
    lines = [f"{'stack':<20} {'add':>6} {'change':>6} {'destroy':>7}"]
    for each in chosen:
        name = f"{each.environment}/{each.stack}"
        counts = "  not planned" if each.problem else f"{each.add:>6} {each.change:>6} {each.destroy:>7}"
        lines.append(f"{name:<20} {counts}")
    lines += [f"\n{each.environment}/{each.stack}: {each.problem}" for each in chosen if each.problem]
    return "\n".join(lines)


def as_json(plans: Iterable[Plan]) -> list[dict[str, object]]:
    """For programs."""
    return [asdict(each) for each in plans]
