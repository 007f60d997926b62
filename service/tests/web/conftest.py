"""The pages as they are built, once a session; the shop that serves them and a browser, once a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.servers import RealShop, serving
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
    with serving(dist, tmp_path_factory.mktemp("shop")) as made:
        yield made


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
