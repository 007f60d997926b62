"""`make loadtest`: shoppers, then a rush on one product, then the verdict of the database.

Starts a shop and a PostgreSQL of its own; with --target loads the shop that listens there, on this machine,
whose database SHOP_DATABASE_URL_FILE or SHOP_DATABASE_PATH names. Status: 0 clean, 1 not, 2 could not run.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from loadtest.client import Address, Connection, local
from loadtest.local import SERVICE, local_shop
from loadtest.open_loop import arrive, orders
from loadtest.verdict import Answer, judge, look, read, summary
from shop.catalogue.seeding import items
from shop.settings import Settings, SettingsError, load
from tests.postgresql import PostgresMissingError


def main() -> None:
    """Run, say the verdict, end with its status."""
    arguments = _arguments()
    with ExitStack() as stack:
        try:
            if arguments.target:
                target, settings = arguments.target, load(os.environ)
                local(target)
            else:
                shop = stack.enter_context(local_shop(arguments.stock))
                target, settings = shop.url, shop.settings
        except (ValueError, SettingsError, PostgresMissingError) as error:
            print(f"loadtest: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(2)
        wrong = run(target, settings, arguments)
    print("\n".join(f"WRONG: {each}" for each in wrong) or "the verdict is clean")  # noqa: T201
    sys.exit(1 if wrong else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make loadtest ARGS=…", description=__doc__)
    parser.add_argument("--target", help="http://127.0.0.1:PORT of a shop that runs already")
    parser.add_argument("--users", type=int, default=40, help="shoppers at once")
    parser.add_argument("--seconds", type=int, default=15, help="how long they stay")
    parser.add_argument(
        "--rate", type=float, default=150, help="orders a second in the rush; each comes twice"
    )
    parser.add_argument("--rush-seconds", type=float, default=8, help="how long the rush lasts; 0: none")
    parser.add_argument("--stock", type=int, default=500, help="pieces of each product, of a shop of its own")
    parser.add_argument("--p99-ms", type=float, default=500, help="what 99 %% of admitted orders stay below")
    return parser.parse_args()


def run(target: str, settings: Settings, arguments: argparse.Namespace) -> list[str]:
    """Everything that is wrong after shoppers and rush."""
    with tempfile.TemporaryDirectory(prefix="loadtest-") as name:
        told = Path(name) / "answers"
        failures = shoppers_come(target, arguments.users, arguments.seconds, told)
        answers = read(told)
    if arguments.rush_seconds:
        answers += asyncio.run(rush(local(target), arguments.rate, arguments.rush_seconds))
    database = asyncio.run(look(settings))
    print(summary(answers, database))  # noqa: T201
    return judge(answers, database, failures, arguments.p99_ms / 1000)


def shoppers_come(target: str, users: int, seconds: int, told: Path) -> int:
    """Locust, without a head. Gives how many requests failed that ordered nothing."""
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--only-summary"]
    command += ["--host", target, "-u", str(users), "-r", str(max(1, users // 4)), "-t", f"{seconds}s"]
    command += [
        "--stop-timeout",
        "30",
        "--csv",
        str(told),
        "--loglevel",
        "WARNING",
        "--exit-code-on-error",
        "0",
    ]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=SERVICE,
        env={**os.environ, "LOADTEST_ANSWERS": str(told), "PYTHONPATH": str(SERVICE)},
        timeout=seconds + 120,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"loadtest: locust ended with {done.returncode}")
    with Path(f"{told}_stats.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["Name"] not in ("Aggregated", "/api/v1/orders")]
    return sum(int(row["Failure Count"]) for row in rows)


async def rush(address: Address, rate: float, seconds: float) -> list[Answer]:
    """Everybody wants the same thing at once, and taps twice. Unanswered keys are asked again at the end."""
    product = items(1)[-1].slug
    send = orders([product], doubled=True, seed=os.getpid(), first_client=1 << 22)
    answers = (await arrive(address, rate * 2, seconds, send)).answers
    connection = Connection(address)
    try:
        known = {each.key for each in answers if each.status}
        lost = [each for each in answers if not each.status and each.key not in known]
        for each in lost:
            answers.append(await send(connection, int(each.key.rsplit("-", 1)[1]) * 2))
    finally:
        connection.close()
    return answers


if __name__ == "__main__":
    main()
