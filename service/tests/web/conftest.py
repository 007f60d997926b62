"""The pages as they are built, once a session; the shop that serves them and a browser, once a module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.servers import PATIENCE, RealShop, free_port, until
from tests.web.shopper import DESKTOP, Shopper, launch, shopper
from web.build import build


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built storefront."""
    output = tmp_path_factory.mktemp("web") / "dist"
    build(output)
    return output


@pytest.fixture(scope="module")
def shop(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    folder = tmp_path_factory.mktemp("shop")
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHOP_")},
        "SHOP_DATABASE_PATH": str(folder / "shop.sqlite3"),
        "SHOP_PORT": str(port),
        "SHOP_CHECKOUTS_PER_MINUTE": "1000",
    }
    command = [sys.executable, "-m", "shop", "demo", "--web", str(dist)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    made = RealShop(f"http://127.0.0.1:{port}", folder / "shop.sqlite3", folder / "log")

    def ready() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return httpx.get(f"{made.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    until(ready, "the shop is ready")
    yield made
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = launch(playwright)
        yield made
        made.close()


@pytest.fixture
def phone(browser: Browser, shop: RealShop) -> Iterator[Shopper]:
    with shopper(browser, shop.url) as made:
        yield made


@pytest.fixture
def desktop(browser: Browser, shop: RealShop) -> Iterator[Shopper]:
    with shopper(browser, shop.url, DESKTOP) as made:
        yield made
