"""A shopper in a real browser, at the real shop with the pages as they are built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.web.servers import Nginx, RealShop, until
from tests.web.shopper import (
    DESKTOP,
    LONGEST_SHIFT,
    PHONE,
    SMALL_TARGETS,
    WITHOUT_NAME,
    Shopper,
    problem,
    shopper,
)

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # two busy cores take their time

ORDERS = "**/api/v1/orders"
BUSY = {"status": 503, "code": "overloaded", "detail": "busy"}
WAIT = {"status": 503, "code": "waiting_room", "detail": "stand in line"}


def put_in_cart(who: Shopper, *slugs: str) -> None:
    """A cart as an earlier visit left it."""
    lines = json.dumps([{"product": slug, "quantity": 1} for slug in slugs])
    who.page.add_init_script(f"localStorage.getItem('cart.v1') ?? localStorage.setItem('cart.v1', `{lines}`)")


def fill_in(page: Page) -> None:
    """The shipping form, as people type."""
    page.get_by_label("নাম").fill("পরীক্ষা ক্রেতা")
    page.get_by_label("মোবাইল নম্বর").fill("০১৭১২-৩৪৫৬৭৮")
    page.get_by_label("জেলা").select_option("dhaka")
    page.get_by_label("ঠিকানা").fill("১২ পরীক্ষা সড়ক, ঢাকা")
    expect(page.locator("#sums")).to_contain_text("৳৬০")


def keys(page: Page) -> list[str]:
    """Idempotency-Keys that the page sends from now on, as they go out."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/v1/orders"):
            sent.append(request.headers["idempotency-key"])

    page.on("request", note)
    return sent


# -- buying ----


def test_a_purchase_in_bangla_on_a_phone(phone: Shopper, shop: RealShop) -> None:
    before = shop.orders()
    page = phone.open("/")
    page.wait_for_url("**/bn/")
    page.get_by_role("searchbox").fill("শাড়ি")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("“শাড়ি”")
    card = page.locator(".card:not(.gone)").first
    name = card.locator(".card-name").inner_text()
    card.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("button", name="কার্টে রাখুন").click()
    expect(page.get_by_role("status").filter(has_text="কার্টে রাখা হয়েছে")).to_be_visible()
    page.get_by_role("link", name="কার্ট দেখুন").click()
    page.get_by_role("button", name="একটি বেশি").click()
    expect(page.locator(".quantity output")).to_have_text("২")
    expect(page.locator("#cart-count")).to_have_text("২")
    page.get_by_role("link", name="অর্ডার করুন").click()
    fill_in(page)
    total = page.locator("#sums .total dd").inner_text()
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.locator("#order-number")).to_have_text(re.compile("^[0-9A-Z]{10}$"))
    expect(page.get_by_text("ধন্যবাদ! অর্ডারটি পেয়েছি।")).to_be_visible()
    expect(page.locator("#order .total dd")).to_have_text(total)
    expect(page.locator("#cart-count")).to_be_hidden()
    number = page.locator("#order-number").inner_text()
    rows = shop.execute("SELECT phone, language, status FROM orders WHERE number = ?", number)
    assert rows == [("01712345678", "bn", "placed")]
    assert shop.orders() == before + 1


def test_an_order_is_found_by_number_and_phone_and_cancelled(
    phone: Shopper, browser: Browser, shop: RealShop
) -> None:
    slug, _ = shop.product(5)
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    number = page.locator("#order-number").inner_text()
    with shopper(browser, shop.url) as later:
        later.ignored = ("404",)
        page = later.open(f"/bn/order.html?number={number}")
        page.get_by_label("মোবাইল নম্বর").fill("০১৯১২৩৪৫৬৭৮")
        page.get_by_role("button", name="দেখুন").click()
        expect(page.get_by_role("alert")).to_contain_text("পাওয়া যায়নি")
        page.get_by_label("মোবাইল নম্বর").fill("+৮৮ ০১৭১২ ৩৪৫৬৭৮")
        page.get_by_role("button", name="দেখুন").click()
        expect(page.locator(".steps .here")).to_contain_text("অর্ডার পেয়েছি")
        page.get_by_role("button", name="অর্ডার বাতিল করুন").click()
        page.get_by_role("button", name="সত্যিই বাতিল?").click()
        expect(page.get_by_role("alert")).to_contain_text("বাতিল হয়েছে")
    assert shop.execute("SELECT status FROM orders WHERE number = ?", number) == [("cancelled",)]


def test_checkout_by_keyboard_alone(desktop: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    put_in_cart(desktop, slug)
    page = desktop.open("/en/checkout.html")
    expect(page.locator("#lines li")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Enter")  # sends the form: what is wrong is said, and the first such field is next
    expect(page.get_by_text("Write your name.")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.keyboard.type("Test Buyer")
    page.keyboard.press("Tab")
    page.keyboard.type("01712345678")
    page.keyboard.press("Tab")
    page.keyboard.type("Dhaka")
    page.keyboard.press("Tab")
    page.keyboard.type("12 Test Road")
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Cash on delivery")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Place the order")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#order-number")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


# -- what can go wrong while ordering ----


def test_sold_out_in_the_last_moment_is_said_and_orders_nothing(phone: Shopper, shop: RealShop) -> None:
    slug, name = shop.product(1)
    phone.ignored = ("409",)
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    fill_in(page)
    shop.execute(
        "UPDATE stock SET available = 0 WHERE product_id = (SELECT id FROM product WHERE slug = ?)", slug
    )
    before = shop.orders()
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.get_by_role("alert")).to_contain_text("শেষ হয়ে গেছে")
    expect(page.get_by_label("নাম")).to_have_value("পরীক্ষা ক্রেতা")
    assert shop.orders() == before
    shop.execute("UPDATE catalogue_version SET version = version + 1")
    until(lambda: shop.stock(slug) == "sold_out", "the catalogue knows")
    page.get_by_role("alert").get_by_role("link", name="কার্ট দেখুন").click()
    expect(page.locator(".lines .error-text")).to_contain_text("শেষ")
    expect(page.locator("#checkout")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name=f"{name} সরান").click()
    expect(page.get_by_role("heading", name="কার্ট খালি")).to_be_visible()


def test_another_price_is_shown_before_it_is_paid(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("409",)
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    fill_in(page)
    total = page.locator("#sums .total dd")
    old = total.inner_text()
    shop.execute("UPDATE product SET price_poisha = price_poisha + 10000 WHERE slug = ?", slug)
    shop.execute("UPDATE catalogue_version SET version = version + 1")
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.get_by_role("alert")).to_contain_text("দাম বদলেছে")
    expect(total).not_to_have_text(old)
    new = total.inner_text()
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.locator("#order .total dd")).to_have_text(new)


def test_a_busy_shop_is_asked_again_with_the_same_key(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("503", "ERR_FAILED", "429")
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    sent = keys(page)

    def trouble(route: Route) -> None:
        if len(sent) == 1:
            problem(route, BUSY, **{"Retry-After": "1"})
        elif len(sent) == 2:
            route.abort()
        elif len(sent) == 3:
            problem(route, {"status": 429, "code": "slow_down", "detail": "slow"}, **{"Retry-After": "1"})
        else:
            route.continue_()

    page.route(ORDERS, trouble)
    fill_in(page)
    before = shop.orders()
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.get_by_role("heading", name="অর্ডার পাঠানো হচ্ছে")).to_be_focused()
    expect(page.locator("#order-number")).to_be_visible()
    assert len(sent) == 4
    assert len(set(sent)) == 1
    assert shop.orders() == before + 1


def test_an_answer_that_was_lost_and_a_reload_buy_once(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("ERR_FAILED",)
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    sent = keys(page)
    before = shop.orders()

    def swallow(route: Route) -> None:
        key = route.request.headers["idempotency-key"]
        body = route.request.post_data_json
        httpx.post(f"{shop.url}/api/v1/orders", json=body, headers={"Idempotency-Key": key})
        route.abort()  # it reached the shop, its answer is lost

    page.route(ORDERS, swallow)
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.locator("#sending-text")).to_contain_text("সাড়া পাওয়া যায়নি")
    assert shop.orders() == before + 1
    page.unroute(ORDERS)
    page.reload()
    expect(page.locator("#order-number")).to_be_visible()
    assert len(set(sent)) == 1
    assert shop.orders() == before + 1


def test_when_nobody_answers_the_shopper_keeps_the_attempt(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("ERR_FAILED",)
    put_in_cart(phone, slug)
    page = phone.page
    page.clock.install()
    phone.open("/bn/checkout.html")
    sent = keys(page)
    page.route(ORDERS, lambda route: route.abort())
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    for attempt in range(1, 8):
        expect(page.locator("#sending-text")).to_contain_text("আবার পাঠানো হচ্ছে")
        until(lambda: len(sent) >= attempt, "it is sent again")  # noqa: B023
        page.wait_for_timeout(50)
        page.clock.fast_forward(30_000)
    expect(page.get_by_role("heading", name="এখনো উত্তর পাইনি")).to_be_visible()
    page.unroute(ORDERS)
    page.get_by_role("button", name="আবার পাঠান").click()
    expect(page.locator("#order-number")).to_be_visible()
    assert len(sent) == 9
    assert len(set(sent)) == 1


def test_a_new_confirmation_after_a_refusal_has_a_new_key(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("409", "422")
    put_in_cart(phone, slug)
    page = phone.open("/bn/checkout.html")
    sent = keys(page)
    refusals = [
        {"status": 409, "code": "sold_out", "detail": ""},
        {"status": 422, "code": "odd", "detail": ""},
    ]
    page.route(ORDERS, lambda route: problem(route, refusals[len(sent) - 1]), times=2)
    fill_in(page)
    order = page.get_by_role("button", name="অর্ডার নিশ্চিত করুন")
    order.click()
    expect(page.get_by_role("alert")).to_contain_text("শেষ হয়ে গেছে")
    order.click()
    expect(page.get_by_role("alert")).to_contain_text("কিছু একটা ঠিক হয়নি")  # a code that nobody knows
    order.click()
    expect(page.locator("#order-number")).to_be_visible()
    assert len(set(sent)) == 3


def test_paying_online_goes_to_the_provider(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    put_in_cart(phone, slug)
    page = phone.page
    order = {"number": "7Q4M2ZK9TB", "status": "placed", "payment": "bkash", "total_poisha": 1}
    asked: list[Any] = []

    def pay(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"redirect_url": f"{shop.url}/favicon.svg?paymentID=1"})

    page.route("**/api/v1/payments/methods", lambda route: route.fulfill(json={"items": ["cod", "bkash"]}))
    page.route(ORDERS, lambda route: route.fulfill(status=201, json=order))
    page.route("**/api/v1/payments", pay)
    phone.open("/bn/checkout.html")
    page.get_by_text("বিকাশ", exact=True).click()
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    page.wait_for_url("**/favicon.svg?paymentID=1")
    assert asked == [{"number": "7Q4M2ZK9TB", "phone": "01712345678"}]
    phone.open("/bn/")  # a picture has nothing to check


# -- the waiting room ----


def in_line(page: Page, places: list[dict[str, Any]]) -> list[str]:
    """Answer the waiting room with `places` in turn, the last one for ever; the paths asked."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url.rsplit("/api/v1", 1)[1])
        route.fulfill(json=places[min(len(asked), len(places)) - 1])

    page.route("**/api/v1/waiting-room", answer)
    page.route("**/api/v1/waiting-room/poll", answer)
    return asked


def test_the_line_moves_by_itself_and_orders_with_its_pass(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("503",)
    put_in_cart(phone, slug)
    page = phone.page
    page.clock.install()
    asked = in_line(
        page,
        [
            {"state": "waiting", "ticket": "one", "retry_after": 5, "ahead": 1240},
            {"state": "waiting", "ticket": "one", "retry_after": 5, "ahead": 7},
            {"state": "admitted", "ticket": "one", "waiting_pass": "let-me-in"},
        ],
    )
    passes: list[str | None] = []

    def door(route: Route) -> None:
        passes.append(route.request.headers.get("waiting-pass"))
        if passes[-1] is None:
            problem(route, WAIT, **{"Retry-After": "5"})
        else:
            route.fallback()

    page.route(ORDERS, door)
    sent = keys(page)
    phone.open("/bn/checkout.html")
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    page.wait_for_url("**/waiting.html")
    expect(page.locator("#ahead")).to_have_text("১,২৪০")
    expect(page.locator("#announcer")).to_have_text("আপনার আগে ১,২৪০ জন।")
    assert phone.shift() <= LONGEST_SHIFT
    page.clock.fast_forward(10_000)
    expect(page.locator("#ahead")).to_have_text("৭")
    expect(page.locator("#announcer")).to_have_text("আপনার আগে ১,২৪০ জন।")  # politely: not every time
    page.clock.fast_forward(10_000)
    expect(page.locator("#order-number")).to_be_visible()
    assert asked == ["/waiting-room", "/waiting-room/poll", "/waiting-room/poll"]
    assert passes == [None, "let-me-in"]
    assert len(set(sent)) == 1


def test_sold_out_ends_the_wait(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(5)
    phone.ignored = ("503",)
    put_in_cart(phone, slug)
    page = phone.page
    in_line(page, [{"state": "sold_out"}])
    page.route(ORDERS, lambda route: problem(route, WAIT, **{"Retry-After": "5"}))
    phone.open("/bn/checkout.html")
    fill_in(page)
    page.get_by_role("button", name="অর্ডার নিশ্চিত করুন").click()
    expect(page.get_by_role("heading", name="দুঃখিত, শেষ হয়ে গেছে")).to_be_focused()
    assert page.evaluate("sessionStorage.getItem('attempt.v1')") is None


# -- other states ----


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/bn/cart.html", "কার্ট খালি"),
        ("/bn/checkout.html", "কার্ট খালি"),
        ("/bn/index.html?q=zzzzzz", "“zzzzzz” খুঁজে কিছু পাওয়া গেল না"),
        ("/bn/product.html?p=no-such-thing", "পণ্যটি পাওয়া গেল না"),
        ("/en/product.html?p=../../admin", "This product was not found"),
        ("/bn/index.html?category=no-such-shelf", "পাতাটি নেই"),
        ("/bn/no-such-page", "পাতাটি নেই"),
    ],
)
def test_nothing_there_is_said_kindly_and_leads_back(phone: Shopper, path: str, heading: str) -> None:
    phone.ignored = ("404",)
    page = phone.open(path)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_role("main").locator(".button:visible")).to_have_count(1)


def test_a_sold_out_product_can_not_be_put_in_the_cart(phone: Shopper, shop: RealShop) -> None:
    slug, _ = shop.product(0)
    page = phone.open(f"/bn/product.html?p={slug}")
    expect(page.get_by_text("পণ্যটি শেষ হয়ে গেছে")).to_be_visible()
    expect(page.get_by_role("button", name="কার্টে রাখুন")).to_have_count(0)
    expect(page.get_by_role("link", name="একই বিভাগের অন্য পণ্য")).to_be_visible()


def test_a_list_that_fails_can_be_asked_for_again(phone: Shopper) -> None:
    phone.ignored = ("500",)
    page = phone.page
    page.route("**/api/v1/products?*", lambda route: problem(route, {"status": 500, "code": "internal"}))
    phone.open("/bn/")
    expect(page.get_by_role("heading", name="একটু সমস্যা হয়েছে")).to_be_visible()
    page.unroute("**/api/v1/products?*")
    page.get_by_role("button", name="আবার চেষ্টা করুন").click()
    expect(page.locator(".card").first).to_be_visible()


def test_a_lost_network_is_said_and_the_list_comes_by_itself(phone: Shopper) -> None:
    phone.ignored = ("ERR_INTERNET_DISCONNECTED",)
    page = phone.open("/bn/")
    expect(page.locator(".card").first).to_be_visible()
    page.clock.install()
    page.context.set_offline(True)
    expect(page.get_by_text("ইন্টারনেট সংযোগ নেই। ফিরে এলে")).to_be_visible()
    page.get_by_label("সাজান").select_option("price")
    for _ in range(4):
        page.wait_for_timeout(100)
        page.clock.fast_forward(10_000)
    expect(page.get_by_role("heading", name="ইন্টারনেট সংযোগ নেই")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".card").first).to_be_visible()


# -- finding things ----


def test_categories_sort_and_pages_are_in_the_address(desktop: Shopper) -> None:
    page = desktop.open("/en/")
    page.get_by_role("navigation", name="Categories").get_by_role("link").nth(2).click()
    expect(page).to_have_url(re.compile(r"\?category=[\w-]+$"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_label("Sort").select_option("price")
    expect(page).to_have_url(re.compile(r"sort=price"))
    expect(page.locator("#products")).to_have_attribute("aria-busy", "false")
    prices = [int(re.sub(r"\D", "", text)) for text in page.locator(".price").all_inner_texts()]
    assert prices == sorted(prices)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/en/$"))
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(page.get_by_text("Page 2 of")).to_be_visible()
    page.get_by_role("banner").get_by_role("link", name="বাংলা").click()
    expect(page).to_have_url(re.compile(r"/bn/\?page=2"))
    expect(page.get_by_text("পাতা ২ / ")).to_be_visible()


def test_what_is_typed_never_becomes_markup(phone: Shopper) -> None:
    page = phone.open("/bn/index.html?q=<img src=x onerror=alert(1)>")
    expect(page.locator("#state-title")).to_contain_text("<img src=x")
    assert page.locator("main img[src=x]").count() == 0


@pytest.mark.nginx
def test_nginx_before_the_real_shop(browser: Browser, shop: RealShop, dist: Path, tmp_path: Path) -> None:
    nginx = Nginx(tmp_path, dist, shop.url)
    nginx.start()
    try:
        path = "/api/v1/products?lang=bn"
        direct, through = (httpx.get(base + path) for base in (shop.url, nginx.url))
        assert through.json() == direct.json()
        assert through.headers["Content-Encoding"] == "gzip"
        assert through.headers["Cache-Control"] == direct.headers["Cache-Control"]
        plain = httpx.get(nginx.url + path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.json() == direct.json()
        known = {"If-None-Match": through.headers["ETag"]}
        assert httpx.get(nginx.url + path, headers=known).status_code == 304
        assert httpx.get(f"{nginx.url}/api/v1/products/no-such-thing").json()["status"] == 404
        with shopper(browser, nginx.url) as who:
            who.ignored = ("404",)  # the edge sends the rest of the API elsewhere
            page = who.open("/")
            expect(page.locator(".card")).to_have_count(20)
            page.locator(".card").first.click()
            expect(page.locator("#product h1")).to_be_visible()
    finally:
        assert nginx.quit() == 0


# -- form ----

ALL = [
    "/bn/",
    "/en/",
    "/bn/index.html?q=শাড়ি",
    "/bn/product.html?p={slug}",
    "/bn/cart.html",
    "/bn/checkout.html",
    "/bn/order.html",
    "/en/404.html",
]


@pytest.mark.parametrize(
    "size", [PHONE, DESKTOP, {"width": 320, "height": 568}], ids=["phone", "desktop", "320"]
)
@pytest.mark.parametrize("path", ALL)
def test_nothing_moves_nothing_overflows_and_fingers_hit(
    browser: Browser, shop: RealShop, path: str, size: dict[str, int]
) -> None:
    listed = httpx.get(f"{shop.url}/api/v1/products?q=saree").json()["items"]
    slug = listed[0]["slug"]
    with shopper(browser, shop.url, size) as who:
        put_in_cart(who, slug, listed[1]["slug"])
        page = who.open(path.format(slug=slug))
        page.wait_for_load_state("networkidle")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert who.shift() <= LONGEST_SHIFT
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(SMALL_TARGETS) == []
        assert page.evaluate(WITHOUT_NAME) == []
