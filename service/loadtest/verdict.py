"""The verdict: what clients were told against what the database holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from shop.database.engine import create_engine, create_sessions
from shop.orders.verdict import Books, Finding, books, verdict
from shop.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told of a request to order. Status 0: no answer came."""

    key: str
    status: int
    number: str
    seconds: float
    shed: bool = False
    """A 503 that says when to come again."""


@dataclass(frozen=True, slots=True)
class Database:
    """What the database holds after the run."""

    books: Books
    findings: Sequence[Finding]
    numbers: frozenset[str]


def write(file: Path, answers: Iterable[Answer]) -> None:
    """Append answers, one a line."""
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(
            json.dumps([each.key, each.status, each.number, each.seconds, each.shed]) + "\n"
            for each in answers
        )


def read(file: Path) -> list[Answer]:
    """What `write` wrote."""
    if not file.exists():
        return []
    return [Answer(*json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


async def look(settings: Settings) -> Database:
    """The database of `settings`, when nothing is running any more."""
    engine = create_engine(settings)
    try:
        sessions = create_sessions(engine)
        async with sessions() as session:
            numbers = frozenset((await session.execute(text("SELECT number FROM orders"))).scalars())
        return Database(await books(sessions), await verdict(sessions), numbers)
    finally:
        await engine.dispose()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def judge(
    answers: Sequence[Answer], database: Database, other_errors: int = 0, p99_seconds: float = 0.5
) -> list[str]:
    """Everything that is wrong, a sentence each; none is a clean verdict.

    `other_errors`: 5xx of requests that order nothing.
    """
    found = database.books
    numbers: dict[str, set[str]] = {}
    for each in answers:
        if each.status == 201:
            numbers.setdefault(each.key, set()).add(each.number)
    told = set[str]().union(*numbers.values())
    unknown = {each.key for each in answers if each.status == 0} - numbers.keys()
    broken = other_errors + sum(each.status >= 500 and not each.shed for each in answers)
    slow = percentile([each.seconds for each in answers if each.status == 201], 0.99)

    doubled = [key for key, each in numbers.items() if len(each) > 1]
    lost = told - database.numbers
    checks = (
        (
            found.sold + found.left == found.received,
            f"{found.sold} sold and {found.left} left are not the {found.received} there were",
        ),
        (
            found.orders == found.keys_with_order,
            f"{found.orders} orders, but {found.keys_with_order} keys that got one",
        ),
        (not doubled, f"{len(doubled)} keys were told two order numbers"),
        (not lost, f"{len(lost)} acknowledged orders are not in the database"),
        (len(told) >= len(numbers), f"{len(numbers)} keys were told only {len(told)} numbers"),
        (
            found.orders - len(unknown) <= len(told) <= found.orders,
            f"{found.orders} orders, but {len(told)} acknowledged and {len(unknown)} unanswered",
        ),
        (not broken, f"{broken} answers of 5xx that are not shed load"),
        (slow <= p99_seconds, f"p99 of orders is {slow * 1000:.0f} ms, above {p99_seconds * 1000:.0f}"),
    )
    wrong = [f"{each.check}: {each.subject}: {each.found}, not {each.expected}" for each in database.findings]
    return wrong + [sentence for holds, sentence in checks if not holds]


def summary(answers: Sequence[Answer], database: Database) -> str:
    """Counts and times, for people."""
    placed = [each.seconds for each in answers if each.status == 201]
    statuses = {each.status for each in answers}
    counted = ", ".join(
        f"{sum(each.status == status for each in answers)} × {status or 'no answer'}"
        for status in sorted(statuses)
    )
    found = database.books
    return (
        f"{len(answers)} requests to order: {counted or 'none'}\n"
        f"orders answered in {percentile(placed, 0.5) * 1000:.0f} ms (p50),"
        f" {percentile(placed, 0.99) * 1000:.0f} ms (p99)\n"
        f"{found.orders} orders, {found.sold} pieces sold, {found.left} left of {found.received}"
    )
