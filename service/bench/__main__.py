"""`make bench-shop`: how much the shop does, and what peers do in the same run on the same machine.

A server is compared by requests per CPU-second of its processes, which a busy machine disturbs least. Exit
status: 1 where an order was lost, doubled or oversold, a budget is missed (without --quick), or a program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import msgspec
from sqlalchemy import text

from bench import programs
from bench.programs import Load
from loadtest import shoppers
from loadtest.client import Connection, local
from loadtest.local import LocalShop, local_shop, running
from loadtest.open_loop import Run, Send, arrive
from loadtest.verdict import Answer, look, percentile
from shop.catalogue.seeding import items
from shop.database.engine import create_engine, create_sessions
from shop.orders.verdict import Books
from tests.postgresql import free_port

PAGE = Path(__file__).parents[2] / "docs" / "shop-performance.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
LIST = "/api/v1/products"
STOCK = 1_000_000

# Budgets of docs/shop-performance.md.
TIMES_EXPRESS = 3.0
SHARE_OF_HELLO = 0.5
ORDER_P99_MS = 150.0
SHARE_OF_CAPACITY = 0.6
OVERLOAD_P99_MS = 500.0
START_SECONDS = 2.0
MEMORY_MIB = 200.0
OPEN_CONNECTIONS = 1_000
OVERLOAD = 1.6


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was done, figures with units, budgets as shares: 1 and more are met."""

    what: str
    figures: dict[str, float]
    budgets: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Measure, print, and say whether it is as it should be."""
    arguments = _arguments()
    if lacking := programs.missing():
        sys.exit(f"bench: {', '.join(lacking)} not found: Debian has them as wrk and postgresql")
    wrong: list[str] = []
    seconds, rounds = (1.0, 1) if arguments.quick else (arguments.seconds, 3)
    rows = list(measure(seconds, rounds, wrong, arguments.node))
    print(json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else table(rows))  # noqa: T201
    if arguments.write:
        write_page(PAGE, rows, arguments.seconds)
    missed = [
        f"{row.what}: {name} {share:.2f}" for row in rows for name, share in row.budgets.items() if share < 1
    ]
    for each in missed:
        print(f"missed: {each}", file=sys.stderr)  # noqa: T201
    for each in wrong:
        print(f"WRONG: {each}", file=sys.stderr)  # noqa: T201
    sys.exit(1 if wrong or (missed and not arguments.quick) else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-shop ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="length of each load")
    parser.add_argument("--node", type=Path, help="another Node for the Express peer than that of the lock")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that everything works")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/shop-performance.md")
    parser.add_argument("--json", action="store_true", help="rows for a machine")
    return parser.parse_args()


def measure(seconds: float, rounds: int, wrong: list[str], node: Path | None = None) -> Iterator[Row]:
    """All rows; what is wrong with orders goes into `wrong`."""
    with programs.hello() as hello, programs.express(node) as express, _shop() as shop:
        pages = {
            "raw ASGI hello on granian": hello,
            "Express, three products in its source": (express[0], f"{express[1]}/api/products"),
            "catalogue, list of 20": (shop.process.pid, f"{shop.url}{LIST}"),
        }
        yield from reads(pages, seconds, rounds)
        yield orders(shop, seconds, rounds, wrong)
        yield asyncio.run(overload(shop, seconds))
    with _shop() as shop:
        mib = asyncio.run(memory(shop))
        yield Row(
            f"memory at {OPEN_CONNECTIONS:,} open connections",
            {"MiB": mib},
            {f"of {MEMORY_MIB:g} MiB": MEMORY_MIB / mib},
        )
    yield start(rounds)


@contextmanager
def _shop() -> Iterator[LocalShop]:
    with local_shop(STOCK, SHOP_CHECKOUTS_PER_MINUTE="100000") as shop:
        yield shop


def reads(pages: dict[str, tuple[int, str]], seconds: float, rounds: int) -> Iterator[Row]:
    """Servers (pid and address) by name, the last being ours, in turns: what disturbs one disturbs all."""
    for pid, url in pages.values():
        programs.wrk(pid, url, 1)
    turns = [{name: programs.wrk(*page, seconds) for name, page in pages.items()} for _ in range(rounds)]
    hello, express, ours = pages
    for name in pages:
        loads = [turn[name] for turn in turns]
        if errors := sum(each.errors for each in loads):
            raise SystemExit(f"bench: {name}: {errors} requests failed")
        yield Row(
            name,
            _figures(loads),
            {}
            if name != ours
            else {
                f"of {TIMES_EXPRESS:g} × Express": _ratio(turns, ours, express) / TIMES_EXPRESS,
                "of half the hello": _ratio(turns, ours, hello) / SHARE_OF_HELLO,
            },
        )


def _ratio(turns: list[dict[str, Load]], ours: str, peer: str) -> float:
    return statistics.median(turn[ours].per_cpu_second / turn[peer].per_cpu_second for turn in turns)


def _figures(loads: list[Load]) -> dict[str, float]:
    middle = {
        name: statistics.median(getattr(load, name) for load in loads)
        for name in ("rate", "p50_ms", "p99_ms", "per_cpu_second")
    }
    names = ("per second", "p50 ms", "p99 ms", "per CPU-second")
    return dict(zip(names, middle.values(), strict=True))


def orders(shop: LocalShop, seconds: float, rounds: int, wrong: list[str]) -> Row:
    """One product that everybody wants, durably, 64 clients; in turns with pgbench on the same database."""
    product = items(1)[-1]
    identity = asyncio.run(_product_id(shop, product.slug))
    loads: list[Load] = []
    peers: list[dict[int, float]] = []
    for number in range(rounds + 1):  # the first warms up
        before = _books(shop)
        load = programs.wrk(shop.process.pid, shop.url, seconds, product=product.slug, run=str(number))
        wrong += _mistakes(load, before, _books(shop))
        loads.append(load)
        if number:
            peers.append(
                {
                    clients: programs.pgbench(shop.postgres, clients, seconds, identity, product.price_poisha)
                    for clients in (1, 16, 64)
                }
            )
    wrong += [
        f"{each.check}: {each.subject}: {each.found}, not {each.expected}"
        for each in asyncio.run(look(shop.settings)).findings[:5]
    ]
    figures = _figures(loads[1:])
    figures |= {f"pgbench {count}": statistics.median(each[count] for each in peers) for count in (1, 16, 64)}
    shares = [load.placed / seconds / max(peer.values()) for load, peer in zip(loads[1:], peers, strict=True)]
    budgets = {
        "of pgbench's best": statistics.median(shares),
        f"of p99 {ORDER_P99_MS:g} ms": ORDER_P99_MS / figures["p99 ms"],
    }
    return Row("orders of one product, 64 clients, durable", figures, budgets)


def _books(shop: LocalShop) -> Books:
    time.sleep(0.5)  # those under way when wrk stopped
    return asyncio.run(look(shop.settings)).books


def _mistakes(load: Load, before: Books, after: Books) -> Iterator[str]:
    """What the database holds other than wrk was told; what was under way at its end may have been placed."""
    placed = after.orders - before.orders
    if not load.placed <= placed <= load.placed + 64:
        yield f"{load.placed} orders acknowledged, {placed} in the database"
    if after.keys_with_order != after.orders:
        yield f"{after.orders} orders, but {after.keys_with_order} keys that got one"
    if after.sold + after.left != after.received:
        yield f"{after.sold} sold and {after.left} left are not the {after.received} there were"
    if load.errors:
        yield f"{load.errors} orders failed otherwise than by being shed"


async def _product_id(shop: LocalShop, slug: str) -> int:
    engine = create_engine(shop.settings)
    try:
        async with create_sessions(engine)() as session:
            found = await session.execute(text("SELECT id FROM product WHERE slug = :slug"), {"slug": slug})
            return int(found.scalar_one())
    finally:
        await engine.dispose()


async def overload(shop: LocalShop, seconds: float) -> Row:
    """Tracking asks the database: what 64 clients get at most, then 1.6 times as many who do not wait."""
    address = local(shop.url)
    reference = await _one_order(shop)

    async def track(connection: Connection, number: int) -> Answer:
        began = time.perf_counter()
        headers = {"x-client-address": shoppers.client_address(number)}
        try:
            answer = await connection.ask("POST", "/api/v1/orders/track", headers, reference)
        except (OSError, EOFError, TimeoutError):
            return Answer("", 0, "", time.perf_counter() - began)
        shed = answer.status == 503 and "retry-after" in answer.headers
        return Answer("", answer.status, "", time.perf_counter() - began, shed)

    capacity = await _closed(shop, track, seconds)
    run: Run = await arrive(address, capacity * OVERLOAD, max(seconds, 2), track)
    served = [each.seconds for each in run.answers if each.status < 400 and each.status]
    goodput, p99 = len(served) / run.seconds, percentile(served, 0.99) * 1000
    figures = {
        "per second": goodput,
        "p50 ms": percentile(served, 0.5) * 1000,
        "p99 ms": p99,
        "capacity per second": capacity,
        "shed": float(sum(each.shed for each in run.answers)),
        "failed": float(sum(not each.shed and not 0 < each.status < 400 for each in run.answers)),
        "not sent": float(run.not_sent),
    }
    budgets = {
        f"of {SHARE_OF_CAPACITY:.0%} of capacity": goodput / capacity / SHARE_OF_CAPACITY,
        f"of p99 {OVERLOAD_P99_MS:g} ms": OVERLOAD_P99_MS / max(p99, 0.01),
    }
    return Row(f"order tracking at {OVERLOAD:g} × capacity, arrivals do not wait", figures, budgets)


async def _closed(shop: LocalShop, send: Send, seconds: float) -> float:
    """Answers a second that 64 clients get, each with one request under way."""
    ending, count = time.perf_counter() + seconds, 0

    async def client(number: int) -> None:
        nonlocal count
        connection = Connection(local(shop.url))
        while time.perf_counter() < ending:
            answer = await send(connection, number)
            count += 0 < answer.status < 400
        connection.close()

    await asyncio.gather(*(client(number) for number in range(64)))
    return count / seconds


async def _one_order(shop: LocalShop) -> bytes:
    """Places an order; gives the body that asks where it stands."""
    body = shoppers.order(random.Random(1), [items(1)[-1].slug])  # noqa: S311 - an example
    connection = Connection(local(shop.url))
    headers = {"idempotency-key": shoppers.key()}
    answer = await connection.ask("POST", "/api/v1/orders", headers, msgspec.json.encode(body))
    connection.close()
    if answer.status != 201:
        raise SystemExit(f"bench: an order was answered {answer.status}: {answer.body.decode()[:500]}")
    number = msgspec.json.decode(answer.body)["number"]
    return msgspec.json.encode({"number": number, "phone": body["shipping"]["phone"]})


async def memory(shop: LocalShop) -> float:
    """Resident MiB of the server with so many connections open."""
    held = await programs.hold(shop.url, OPEN_CONNECTIONS, LIST)
    mib = programs.resident_mib(shop.process.pid)
    for each in held:
        each.close()
    return mib


def start(times: int) -> Row:
    """From the process to the first 200 of /readyz, catalogue and database included."""
    with _shop() as shop:
        log, environment = shop.log, dict(shop.environment)
        found = []
        for _ in range(times):
            environment |= {"SHOP_PORT": str(free_port()), "SHOP_METRICS_PORT": str(free_port())}
            with running(environment, log) as (_, seconds):
                found.append(seconds)
    median = statistics.median(found)
    return Row("start to ready", {"seconds": median}, {f"of {START_SECONDS:g} s": START_SECONDS / median})


def table(rows: list[Row]) -> str:
    """Rows as Markdown; of a budget 1.00 is just met, more is better."""
    lines = ["| what | figures | of its budget |", "|---|---|---|"]
    for row in rows:
        figures = ", ".join(f"{name} {_number(value)}" for name, value in row.figures.items())
        budgets = ", ".join(f"{name} **{share:.2f}**" for name, share in row.budgets.items())
        lines.append(f"| {row.what} | {figures} | {budgets} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def write_page(page: Path, rows: list[Row], seconds: float) -> None:
    """Put the figures of this run between the page's markers."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    where = f"{machine}, medians of loads of {seconds:g} s, {date.today()}."
    content = page.read_text(encoding="utf-8")
    before, rest = content.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{where}\n\n{table(rows)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
