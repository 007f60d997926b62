"""A shop of one's own: PostgreSQL with durable commits, the goods of `shop seed`, one server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from loadtest.client import Address
from shop.settings import Settings, load
from tests.postgresql import DURABLE, Postgres, free_port

SERVICE = Path(__file__).parents[1]
READY_SECONDS = 30.0


@dataclass(frozen=True)
class LocalShop:
    """A running shop: where it listens, its process, its database, and how long it took to be ready."""

    address: Address
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    postgres: Postgres
    ready_seconds: float
    log: Path

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.address.host}:{self.address.port}"

    @property
    def settings(self) -> Settings:
        """The settings it runs with."""
        return load(self.environment)


@contextmanager
def local_shop(stock: int, **changed: str) -> Iterator[LocalShop]:
    """All of it until the block ends: `stock` pieces of each product, `changed` settings."""
    with tempfile.TemporaryDirectory(prefix="shop-load-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        postgres = Postgres(folder / "pg", DURABLE)
        postgres.create()
        postgres.start()
        try:
            environment = _environment(folder, postgres, changed)
            _shop(environment, "migrate")
            _shop(environment, "seed", "--stock", str(stock))
            with running(environment, folder / "log") as (process, seconds):
                address = Address("127.0.0.1", int(environment["SHOP_PORT"]))
                yield LocalShop(address, process, environment, postgres, seconds, folder / "log")
        finally:
            postgres.stop()


@contextmanager
def running(environment: Mapping[str, str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """`shop serve` until the end of the block; gives the process and the seconds from its start to ready."""
    with log.open("ab") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "shop", "serve"],
            env=_whole(environment),
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_ready(process, f"http://127.0.0.1:{environment['SHOP_PORT']}/readyz", log)
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path, postgres: Postgres, changed: Mapping[str, str]) -> dict[str, str]:
    address = folder / "database-url"
    address.write_text(postgres.url())
    return {
        "SHOP_DATABASE_URL_FILE": str(address),
        "SHOP_PORT": str(free_port()),
        "SHOP_METRICS_PORT": str(free_port()),
        "SHOP_LOG_LEVEL": "info",
        **changed,
    }


def _whole(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    return {**kept, **environment, "PYTHONPATH": str(SERVICE)}


def _shop(environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "shop", *arguments],
        env=_whole(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise SystemExit(f"shop {arguments[0]} failed: {done.stderr[-2000:]}")


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except (HTTPError, URLError, OSError):
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the shop does not get ready: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.01)
