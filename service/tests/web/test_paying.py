"""Paying online and standing in line, nothing stubbed: the pages, the shop, gateways that only play."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.servers import RealShop, serving, until
from tests.web.shopper import Shopper, shopper
from tests.web.test_browser import fill_in, put_in_cart

pytestmark = pytest.mark.browser

PAGES = {"bkash": "বিকাশ", "nagad": "নগদ", "sslcommerz": "কার্ড ও অন্যান্য"}
GATEWAYS = re.compile(r"its gateways only play: (http://\S+),")


@pytest.fixture(scope="module")
def paid_shop(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    """`make shop ARGS=--pay-online`."""
    with serving(dist, tmp_path_factory.mktemp("paid"), "--pay-online") as made:
        yield made


@pytest.fixture
def phone(browser: Browser, paid_shop: RealShop) -> Iterator[Shopper]:
    with shopper(browser, paid_shop.url) as made:
        yield made


def order_with(who: Shopper, shop: RealShop, method: str) -> Page:
    """Confirm an order of one piece, to be paid so."""
    slug, _ = shop.product(5)
    put_in_cart(who, slug)
    page = who.open("/bn/checkout.html")
    page.get_by_text(PAGES[method], exact=True).click()
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    return page


@pytest.mark.parametrize("method", sorted(PAGES))
def test_an_order_is_paid_at_the_provider(phone: Shopper, paid_shop: RealShop, method: str) -> None:
    page = order_with(phone, paid_shop, method)
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#order-number")).to_be_visible()
    expect(page.locator("ol.steps .here")).to_contain_text("টাকা পেয়েছি")
    number = page.locator("#order-number").inner_text()
    assert paid_shop.execute("SELECT status, payment_method FROM orders WHERE number = ?", number) == [
        ("paid", method)
    ]


def test_who_cancels_at_the_provider_can_pay_again(phone: Shopper, paid_shop: RealShop) -> None:
    page = order_with(phone, paid_shop, "bkash")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#pay")).to_be_visible()
    before = paid_shop.orders()
    page.locator("#pay").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("ol.steps .here")).to_contain_text("টাকা পেয়েছি")
    assert paid_shop.orders() == before, "the same order"


def test_while_the_provider_is_away_the_order_stands(phone: Shopper, paid_shop: RealShop) -> None:
    found = GATEWAYS.search(paid_shop.log.read_text())
    assert found
    phone.ignored = ("503",)
    httpx.post(f"{found[1]}/control/nagad.initialize/error", params={"times": 100}).raise_for_status()
    page = order_with(phone, paid_shop, "nagad")
    expect(page.locator("#pay")).to_be_visible()
    number = page.locator("#order-number").inner_text()
    assert paid_shop.execute("SELECT status FROM orders WHERE number = ?", number) == [("placed",)]


# -- the line ----


class Crowd:
    """Others who order, four times as many a second as the shop lets in, until it is over."""

    def __init__(self, url: str, slug: str) -> None:
        self._url, self._slug = url, slug
        self._over = threading.Event()
        self.answers: list[int] = []

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(1)
        self._running = self._pool.submit(self._order)
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._pool.shutdown()

    def leave(self) -> None:
        """Nobody else comes."""
        self._over.set()
        self._running.result()

    def _order(self) -> None:
        order = {
            "lines": [{"product": self._slug, "quantity": 1}],
            "payment": "cod",
            "shipping": {
                "name": "Somebody Else",
                "phone": "01812345678",
                "district": "dhaka",
                "address": "House 2, Road 3, Dhanmondi",
            },
        }
        with httpx.Client() as client:
            while not self._over.wait(0.25):
                key = {"Idempotency-Key": str(uuid4())}
                self.answers.append(
                    client.post(f"{self._url}/api/v1/orders", json=order, headers=key).status_code
                )


def test_the_line_lets_in_who_waited(
    browser: Browser, dist: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("line")
    with serving(dist, folder, SHOP_ORDERS_PER_SECOND="1") as shop, shopper(browser, shop.url) as who:
        slug, _ = shop.product(500)
        who.ignored = ("503",)
        put_in_cart(who, slug)
        with Crowd(shop.url, slug) as crowd:
            until(lambda: 503 in crowd.answers, "the waiting room is open")
            page = who.open("/bn/checkout.html")
            fill_in(page)
            page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
            page.wait_for_url("**/waiting.html")
            expect(page.locator("#ahead")).to_be_visible()
            crowd.leave()
        expect(page.locator("#order-number")).to_be_visible(timeout=60_000)
        number = page.locator("#order-number").inner_text()
        assert shop.execute("SELECT count(*) FROM orders WHERE number = ?", number) == [(1,)]
