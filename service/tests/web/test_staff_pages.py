"""Staff in a real browser, at the real shop: what each role does all day, and what goes wrong meanwhile."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.colleague import COOKIE, PASSWORD, Office, colleague
from tests.web.servers import RealShop, until
from tests.web.shopper import (
    DESKTOP,
    LONGEST_SHIFT,
    PHONE,
    SMALL_TARGETS,
    WITHOUT_NAME,
    problem,
    shopper,
)

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

ROWS = "**/api/v1/admin/orders?*"
BUSY = {"status": 503, "code": "overload", "detail": "busy"}


@pytest.fixture(scope="module")
def office(shop: RealShop) -> Office:
    return Office(shop)


def sign_in(page: Page, email: str, password: str, *labels: str) -> None:
    """Type both and send them."""
    names = labels or ("Email", "Password", "Sign in")
    page.get_by_label(names[0], exact=True).first.fill(email)
    page.get_by_label(names[1], exact=True).first.fill(password)
    page.locator("#sign-in-button").click()


def english(shop: RealShop, slug: str) -> str:
    name: str = shop.execute("SELECT name_en FROM product WHERE slug = ?", slug)[0][0]
    return name


# -- signing in ----


def test_a_day_begins_and_ends_in_bangla_on_a_phone(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "") as who:
        page = who.open("/admin/")
        page.wait_for_url("**/admin/bn/")
        expect(page.get_by_role("heading", level=1)).to_have_text("প্রবেশ করুন")
        expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(0)
        sign_in(page, *office.known["manager"], "ইমেইল", "পাসওয়ার্ড")
        expect(page.get_by_role("heading", level=1)).to_have_text("অর্ডার")
        expect(page.locator("#who")).to_have_text("Manager · ব্যবস্থাপক")
        assert page.evaluate("Object.keys(localStorage)") == []
        assert COOKIE not in page.evaluate("document.cookie")
        kept = page.evaluate("JSON.stringify({...sessionStorage})")
        assert office.known["manager"][1] not in kept
        assert page.context.cookies(f"{office.shop.url}/api/v1/")[0]["value"] not in kept
        page.get_by_role("button", name="বেরিয়ে যান").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("প্রবেশ করুন")
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_wrong_password_is_told_and_too_many_say_how_long_to_wait(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "") as who:
        who.ignored = ("401", "429")
        page = who.open("/admin/en/")
        email = office.hire("support", "forgetful")
        page.locator("#sign-in-button").click()
        expect(page.get_by_label("Email").first).to_have_attribute("aria-invalid", "true")
        sign_in(page, email, "not the password")
        expect(page.locator("#sign-in-problem")).to_have_text("The email or the password is wrong.")
        expect(page.get_by_label("Password").first).to_be_focused()
        expect(page.get_by_label("Password").first).to_have_value("")
        for _ in range(4):
            sign_in(page, email, "not the password")
            expect(page.locator("#password")).to_have_value("")
        sign_in(page, email, "not the password")
        expect(page.locator("#sign-in-problem")).to_contain_text(re.compile(r"try again in \d+ seconds"))
        expect(page.locator("#sign-in-button")).to_be_disabled()
        expect(page.locator("#sign-in-button")).to_have_text(re.compile(r"Sign in \(\d+\)"))
        page.locator("#password").fill(PASSWORD)
        expect(page.locator("#sign-in-button")).to_be_enabled()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Orders")


def test_an_ended_session_keeps_what_was_typed(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    with colleague(browser, office, "manager", DESKTOP) as who:
        who.ignored = ("401",)
        page = who.open(f"/admin/en/product.html?slug={slug}")
        page.get_by_label("Description in English").fill("Typed before the session ended.")
        page.context.clear_cookies()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text="Your session is over")).to_be_visible()
        expect(page.get_by_label("Description in English")).to_be_hidden()
        sign_in(page, *office.known["manager"])
        expect(page.get_by_role("alert").filter(has_text="Saved.")).to_be_visible()
        expect(page.get_by_label("Description in English")).to_have_value("Typed before the session ended.")
        assert page.url.endswith(f"/admin/en/product.html?slug={slug}")
    told = office.shop.execute("SELECT description_en FROM product WHERE slug = ?", slug)
    assert told == [("Typed before the session ended.",)]


def test_who_comes_next_sees_nothing_of_who_was_there_before(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "manager", DESKTOP) as who:
        who.ignored = ("401",)
        page = who.open("/admin/en/staff.html")
        expect(page.get_by_role("heading", name="A new account")).to_be_visible()
        page.get_by_label("Name", exact=True).fill("Half typed")
        page.get_by_label("Email", exact=True).last.fill("half@shop.example")
        page.get_by_label("First password").fill(PASSWORD)
        page.context.clear_cookies()
        page.get_by_role("button", name="Make the account").click()
        expect(page.locator("#email")).to_be_visible()
        sign_in(page, *office.known["support"])
        expect(page.get_by_role("heading", name="This is not for your role")).to_be_visible()
        expect(page.get_by_text("Half typed")).to_have_count(0)
    assert office.shop.execute("SELECT 1 FROM staff WHERE email = 'half@shop.example'") == []


def test_a_page_that_is_looked_at_renews_its_session(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "manager") as who:
        page = who.page
        page.clock.install()
        renewed: list[str] = []
        page.on("response", lambda answer: renewed.append(answer.url) if "/renew" in answer.url else None)
        who.open("/admin/en/")
        expect(page.locator("#count")).to_contain_text("Found")
        who.open("/admin/en/products.html")
        expect(page.locator("#count")).to_contain_text("Found")
        assert len(renewed) == 1  # not at every page

        def later(text: str) -> bool:
            page.clock.fast_forward("06:00")
            page.wait_for_timeout(100)
            return text in page.locator("#who").inner_text()

        until(lambda: later("Manager") and len(renewed) > 1, "it is renewed")
        office.give(page.context, "warehouse")  # in another tab
        until(lambda: later("Warehouse"), "the page is new")
        expect(page.get_by_role("link", name="New product")).to_have_count(0)


# -- orders ----


def test_an_order_goes_from_placed_to_delivered(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug)
    with colleague(browser, office, "warehouse") as who:
        page = who.open("/admin/bn/")
        page.get_by_label("নম্বর বা ফোন").fill(number.lower())
        page.keyboard.press("Enter")
        expect(page.locator("#list li")).to_have_count(1)
        page.get_by_role("link", name=number).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"অর্ডার {number}")
        expect(page.get_by_text("<b>ক্রেতা</b>")).to_be_visible()
        for button, done in (("প্যাক করা হলো", "প্যাক হয়েছে।"), ("পাঠানো হলো", "পাঠানো হয়েছে।")):
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("alert").filter(has_text=done)).to_be_visible()
            expect(page.get_by_role("heading", level=1)).to_be_focused()
        page.get_by_role("button", name="পৌঁছে গেছে").click()
        assert office.shop.execute("SELECT status FROM orders WHERE number = ?", number) == [("shipped",)]
        page.get_by_role("button", name="সত্যিই পৌঁছেছে?").click()
        expect(page.locator(".steps .here")).to_contain_text("পৌঁছেছে")
        expect(page.locator(".steps li")).to_have_count(4)
        expect(page.locator("#order").get_by_role("button")).to_have_count(
            0
        )  # giving money back is a manager's
    assert office.shop.execute("SELECT status FROM orders WHERE number = ?", number) == [("delivered",)]


def test_support_cancels_and_does_nothing_else(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug, 3)
    with colleague(browser, office, "support", DESKTOP) as who:
        page = who.open(f"/admin/en/order.html?number={number}")
        expect(page.locator("#order").get_by_role("button")).to_have_count(1)
        cancel = page.get_by_role("button", name="Cancel the order")
        cancel.dblclick()
        expect(page.get_by_role("button", name="Really cancel? Press again")).to_be_focused()
        page.keyboard.press("Tab")
        expect(cancel).to_be_visible()  # the first press does not wait for a chance
        cancel.press("Enter")
        page.get_by_role("button", name="Really cancel? Press again").press("Enter")
        expect(page.get_by_role("alert").filter(has_text="back in stock")).to_be_visible()
    left = office.shop.execute(
        "SELECT available FROM stock JOIN product ON id = product_id WHERE slug = ?", slug
    )
    assert left == [(5,)]


def test_somebody_else_was_faster(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug)
    with colleague(browser, office, "warehouse", DESKTOP) as who:
        who.ignored = ("409",)
        page = who.open(f"/admin/en/order.html?number={number}")
        expect(page.get_by_role("button", name="Mark as packed")).to_be_visible()
        office.ask("support", "POST", f"/orders/{number}/status", json={"status": "cancelled"})
        page.get_by_role("button", name="Mark as packed").click()
        expect(page.get_by_role("alert").filter(has_text="the order is now “Cancelled”")).to_be_visible()
        expect(page.locator(".status-line")).to_have_text("Cancelled")
        expect(page.get_by_role("button", name="Mark as packed")).to_have_count(0)


def test_a_lost_answer_is_not_repeated_but_looked_after(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug)
    with colleague(browser, office, "warehouse", DESKTOP) as who:
        who.ignored = ("ERR_FAILED",)
        page = who.open(f"/admin/en/order.html?number={number}")

        def swallow(route: Route) -> None:
            office.ask("warehouse", "POST", f"/orders/{number}/status", json=route.request.post_data_json)
            route.abort()

        page.route("**/status?*", swallow)
        page.get_by_role("button", name="Mark as packed").click()
        expect(page.get_by_role("alert").filter(has_text="it may be done or not")).to_be_visible()
        expect(page.locator(".status-line")).to_have_text("Packed")


def test_money_at_a_provider_is_given_back_there(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug)
    paid = {
        "id": 7,
        "provider": "bkash",
        "status": "paid",
        "amount_poisha": 1050_50,
        "reference": "R1",
        "transaction": "T1",
    }
    asked: list[str] = []

    def answer(route: Route) -> None:
        said = office.ask("manager", "GET", f"/orders/{number}").json()
        told = {"status": "delivered", "next": ["refunded"], "payments": [paid]}
        route.fulfill(json={**said, **told})

    def refund(route: Route) -> None:
        asked.append(route.request.url)
        paid["status"] = "refund_due"
        route.fulfill(status=202)

    with colleague(browser, office, "manager", DESKTOP) as who:
        page = who.page
        page.route(f"**/admin/orders/{number}?*", answer)
        page.route("**/admin/payments/7/refund", refund)
        who.open(f"/admin/en/order.html?number={number}")
        expect(page.get_by_text("৳1,050.50")).to_be_visible()
        expect(page.get_by_role("button", name="Money was given back")).to_have_count(0)
        page.get_by_role("button", name="Give the money back").click()
        page.get_by_role("button", name="Really give it back?").click()
        expect(page.get_by_text("Being given back")).to_be_visible()
        assert len(asked) == 1


def test_orders_are_found_by_phone_and_filtered_by_status(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(9)
    number = office.order(slug, 1, "01998877665")
    office.ask("warehouse", "POST", f"/orders/{number}/status", json={"status": "packed"})
    with colleague(browser, office, "support") as who:
        page = who.open("/admin/bn/")
        page.get_by_label("নম্বর বা ফোন").fill("০১৯৯৮-৮৭৭৬৬৫")
        page.get_by_role("button", name="খুঁজুন").click()
        expect(page.locator("#list li")).to_have_count(1)
        expect(page.locator("#count")).to_have_text("পাওয়া গেছে: ১")
        page.get_by_label("অবস্থা").select_option("shipped")
        expect(page.get_by_role("heading", name="কিছু পাওয়া যায়নি")).to_be_visible()
        expect(page.get_by_role("link", name="সব দেখুন")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("link", name=number)).to_be_visible()
        page.get_by_role("link", name="English").click()
        expect(page.get_by_label("Number or phone")).to_have_value("০১৯৯৮-৮৭৭৬৬৫")
        expect(page.get_by_role("link", name=number)).to_contain_text("Packed")


# -- products and stock ----


def test_another_price_is_seen_in_the_shop(browser: Browser, office: Office) -> None:
    slug, name = office.shop.product(5)
    with colleague(browser, office, "manager") as who:
        page = who.open("/admin/bn/products.html")
        page.get_by_label("নাম বা ওয়েব ঠিকানা").fill(slug)
        page.keyboard.press("Enter")
        page.locator(f"a[href='product.html?slug={slug}']").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        for wrong in ("", "১২,৫০", "-5", "1e3", "0", "10000001", "12.345"):
            page.get_by_label("দাম (টাকা)").fill(wrong)
            page.get_by_role("button", name="সংরক্ষণ").click()
            expect(page.get_by_label("দাম (টাকা)")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("দাম (টাকা)").fill("৳ ১,২৩,৪৫৬.৫")
        page.get_by_role("button", name="সংরক্ষণ").click()
        expect(page.get_by_role("alert").filter(has_text="সংরক্ষণ হয়েছে")).to_be_visible()
        expect(page.get_by_label("দাম (টাকা)")).to_have_value("১২৩৪৫৬.৫০")
    assert office.shop.execute("SELECT price_poisha FROM product WHERE slug = ?", slug) == [(123_456_50,)]
    with shopper(browser, office.shop.url) as who:
        until(lambda: _price(office, slug) == 123_456_50, "the catalogue knows")
        page = who.open(f"/bn/product.html?p={slug}")
        expect(page.locator(".price")).to_have_text("৳১,২৩,৪৫৬.৫০")


def _price(office: Office, slug: str) -> int:
    price: int = httpx.get(f"{office.shop.url}/api/v1/products/{slug}").json()["price_poisha"]
    return price


def test_pages_of_a_list_are_in_the_address(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "support", DESKTOP) as who:
        page = who.open("/admin/en/products.html")
        expect(page.get_by_text("Page 1 of")).to_be_visible()
        first = page.locator("#list strong").first.inner_text()
        page.get_by_role("link", name="Next").press("Enter")
        expect(page).to_have_url(re.compile(r"page=2"))
        expect(page.get_by_text("Page 2 of")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.locator("#list strong").first).not_to_have_text(first)
        page.get_by_role("link", name="Previous").click()
        expect(page).to_have_url(re.compile(r"products\.html$"))
        expect(page.locator("#list strong").first).to_have_text(first)


def test_two_who_change_one_product_are_told(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    with colleague(browser, office, "manager", DESKTOP) as who:
        page = who.open(f"/admin/en/product.html?slug={slug}")
        expect(page.get_by_label("Price in taka")).not_to_have_value("")
        office.shop.execute("UPDATE product SET price_poisha = 77700 WHERE slug = ?", slug)
        page.get_by_label("Name in English").fill("Mine")
        page.get_by_role("button", name="Save").click()
        conflict = page.get_by_role("alert").filter(has_text="Somebody else has changed")
        expect(conflict).to_contain_text("→ ৳777")
        conflict.get_by_role("button", name="Take theirs").click()
        expect(page.get_by_label("Price in taka")).to_have_value("777")
        expect(page.get_by_label("Name in English")).to_have_value(english(office.shop, slug))
        office.shop.execute("UPDATE product SET price_poisha = 88800 WHERE slug = ?", slug)
        page.get_by_label("Name in English").fill("Mine")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Save mine over it").click()
        expect(page.get_by_role("alert").filter(has_text="Saved.")).to_be_visible()
    row = office.shop.execute("SELECT name_en, price_poisha FROM product WHERE slug = ?", slug)
    assert row == [("Mine", 777_00)]


def test_a_new_product_and_an_address_that_is_taken(browser: Browser, office: Office) -> None:
    taken, _ = office.shop.product(5)
    with colleague(browser, office, "manager", DESKTOP) as who:
        who.ignored = ("409",)
        page = who.open("/admin/en/products.html")
        page.get_by_role("link", name="New product").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Name in Bangla")).to_be_focused()
        page.get_by_label("Name in Bangla").fill("নতুন জিনিস")
        page.get_by_label("Name in English").fill("New thing")
        page.get_by_label("Price in taka").fill("99")
        page.get_by_label("Web address").fill(taken)
        page.get_by_label("Show in the shop").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Web address")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Web address").fill("new-thing")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("New thing")
        expect(page.get_by_role("link", name="See it in the shop")).to_have_count(0)
        page.get_by_role("link", name="Change the stock").click()
        expect(page.locator(".level")).to_have_text("0 in stock")
    assert httpx.get(f"{office.shop.url}/api/v1/products/new-thing").status_code == 404


def test_stock_comes_in_and_is_written_off(browser: Browser, office: Office) -> None:
    slug, name = office.shop.product(5)
    with colleague(browser, office, "warehouse") as who:
        who.ignored = ("409",)
        page = who.open(f"/admin/bn/stock.html?q={slug}")
        item = page.locator("#list > li").filter(has=page.get_by_text(name, exact=True))
        item.get_by_role("button", name=f"বদলান: {name}").click()
        pieces = item.get_by_label("কয়টি")
        expect(pieces).to_be_focused()
        for wrong in ("", "-1", "১.৫", "০", "অনেক"):
            pieces.fill(wrong)
            page.keyboard.press("Enter")
            expect(pieces).to_have_attribute("aria-invalid", "true")
        pieces.fill("১২")
        page.keyboard.press("Enter")
        expect(item.get_by_role("alert")).to_have_text("লেখা হয়েছে: এখন মজুতে ১৭টি।")
        item.get_by_label("কারণ").select_option("less")
        pieces.fill("3")
        page.keyboard.press("Enter")
        expect(item.locator(".level")).to_have_text("মজুতে ১৪টি")
        office.shop.execute(
            "UPDATE stock SET available = 2 WHERE product_id = (SELECT id FROM product WHERE slug = ?)", slug
        )
        pieces.fill("3")
        page.keyboard.press("Enter")
        expect(item.get_by_role("alert")).to_have_text("কিছু লেখা হয়নি: মজুতে এখন আছে ২টি।")
    booked = office.shop.execute(
        "SELECT quantity, reason FROM stock_movement WHERE actor = ? ORDER BY id",
        office.known["warehouse"][0],
    )
    assert booked == [(12, "receipt"), (-3, "correction")]


# -- roles ----


@pytest.mark.parametrize(
    ("role", "tabs"),
    [
        ("support", ["Orders", "Products"]),
        ("warehouse", ["Orders", "Products", "Stock"]),
        ("manager", ["Orders", "Products", "Stock", "Staff"]),
    ],
)
def test_what_a_role_may_not_is_not_shown(
    browser: Browser, office: Office, role: str, tabs: list[str]
) -> None:
    slug, _ = office.shop.product(5)
    with colleague(browser, office, role, DESKTOP) as who:
        page = who.open("/admin/en/products.html")
        expect(page.locator("#list li:not(.ghost-line)").first).to_be_visible()
        assert page.locator("#tabs a:visible").all_inner_texts() == tabs
        expect(page.get_by_role("link", name="New product")).to_have_count(1 if role == "manager" else 0)
        page = who.open(f"/admin/en/product.html?slug={slug}")
        expect(page.get_by_role("heading", level=1)).to_have_text(english(office.shop, slug))
        expect(page.get_by_role("button", name="Save")).to_have_count(1 if role == "manager" else 0)
        for path, tab in (("stock", "Stock"), ("staff", "Staff")):
            page = who.open(f"/admin/en/{path}.html")
            expect(page.get_by_role("heading", level=1)).to_have_text(tab)
            refused = page.get_by_role("heading", name="This is not for your role")
            expect(refused).to_have_count(0 if tab in tabs else 1)


def test_managers_hire_and_end_access(browser: Browser, office: Office) -> None:
    with colleague(browser, office, "manager") as who:
        who.ignored = ("409", "400")
        page = who.open("/admin/en/staff.html")
        expect(page.get_by_text("This is you.")).to_be_visible()
        email = office.hire("support", "leaver")
        page.get_by_label("Name", exact=True).fill("New Colleague")
        page.get_by_label("Email", exact=True).last.fill(email)
        page.get_by_label("First password").fill("too short")
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_text("At least 12 characters.")).to_be_visible()
        page.get_by_label("First password").fill("passwordpassword")
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_text("the first that anybody would try")).to_be_visible()
        page.get_by_label("First password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_text("This email has an account already.")).to_be_visible()
        page.get_by_label("Email", exact=True).last.fill("colleague@shop.example")
        page.get_by_label("Role", exact=True).last.select_option("warehouse")
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_text("New Colleague has an account now.")).to_be_visible()
        leaver = page.locator("#list > li").filter(has_text=email)
        token = office.token("leaver")
        leaver.get_by_role("button", name="End access").click()
        leaver.get_by_role("button", name="Really end access?").click()
        expect(leaver.get_by_text("No access")).to_be_visible()
    answer = httpx.get(f"{office.shop.url}/api/v1/admin/orders", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    made = office.shop.execute("SELECT role FROM staff WHERE email = 'colleague@shop.example'")
    assert made == [("warehouse",)]


# -- what can go wrong ----


def test_a_busy_shop_is_asked_again_and_says_when(browser: Browser, office: Office) -> None:
    asked: list[str] = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        problem(route, BUSY, **{"Retry-After": "2"})

    with colleague(browser, office, "support") as who:
        who.ignored = ("503",)
        page = who.page
        page.route(ROWS, busy)
        who.open("/admin/en/")
        expect(page.get_by_role("status").filter(has_text="Asking again in")).to_be_visible()
        expect(page.get_by_role("heading", name="Very busy right now")).to_be_visible()
        expect(page.locator("#state-text")).to_contain_text("Try again in 2 seconds.")
        again = page.get_by_role("button", name=re.compile("Try again"))
        expect(again).to_be_disabled()
        assert len(asked) == 3
        page.unroute(ROWS)
        expect(again).to_be_enabled()
        again.click()
        expect(page.locator("#count")).to_contain_text("Found")
        expect(page.locator("#state")).to_be_hidden()


def test_a_change_that_is_shed_is_not_made_and_says_when(browser: Browser, office: Office) -> None:
    slug, _ = office.shop.product(5)
    number = office.order(slug)
    asked: list[Any] = []

    def busy(route: Route) -> None:
        asked.append(route.request.post_data_json)
        problem(route, BUSY, **{"Retry-After": "7"})

    with colleague(browser, office, "warehouse") as who:
        who.ignored = ("503",)
        page = who.open(f"/admin/en/order.html?number={number}")
        page.route("**/status?*", busy)
        page.get_by_role("button", name="Mark as packed").click()
        expect(page.get_by_role("alert").filter(has_text="Try again in 7 seconds.")).to_be_visible()
        expect(page.get_by_role("button", name="Mark as packed")).to_be_enabled()
        assert asked == [{"status": "packed"}]


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/admin/bn/order.html?number=NONE", "এমন কোনো অর্ডার নেই"),
        ("/admin/en/order.html?number=../../staff", "There is no such order"),
        ("/admin/en/product.html?slug=no-such-thing", "There is no such product"),
        ("/admin/en/index.html?q=<img src=x onerror=alert(1)>", "Nothing found"),
    ],
)
def test_nothing_there_is_said(browser: Browser, office: Office, path: str, heading: str) -> None:
    with colleague(browser, office, "manager") as who:
        who.ignored = ("404",)
        page = who.open(path)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.locator("#state .button:visible")).to_have_count(1)


def test_pages_of_staff_are_kept_nowhere(office: Office) -> None:
    for path in ("/admin/bn/", "/admin/en/order.html"):
        answer = httpx.get(office.shop.url + path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert 'name="robots" content="noindex' in answer.text


# -- form ----

ALL = [
    "index.html",
    "order.html?number={number}",
    "products.html",
    "product.html?slug={slug}",
    "product.html",
    "stock.html?q={slug}",
    "staff.html",
]


@pytest.mark.parametrize("language", ["bn", "en"])
@pytest.mark.parametrize(
    "size", [PHONE, DESKTOP, {"width": 320, "height": 568}], ids=["phone", "desktop", "320"]
)
def test_nothing_moves_nothing_overflows_and_fingers_hit(
    browser: Browser, office: Office, language: str, size: dict[str, int]
) -> None:
    slug, _ = office.shop.product(9)
    number = office.order(slug)
    with colleague(browser, office, "manager", size) as who:
        for path in ALL:
            page = who.open(f"/admin/{language}/{path.format(slug=slug, number=number)}")
            expect(page.locator("[aria-busy=true], #waiting:not([hidden])")).to_have_count(0)
            assert who.shift() <= LONGEST_SHIFT, path
            for button in page.locator("#list button[aria-expanded]").all()[:1]:
                button.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
            assert page.evaluate(SMALL_TARGETS) == [], path
            assert page.evaluate(WITHOUT_NAME) == [], path
