"""The server prices the cart: what counts, what does not, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.cart.pricing import districts, price
from shop.cart.schemas import CartRequest, PricedCart, WantedLine
from shop.money import LANGUAGES, Language
from shop.orders.delivery import DISTRICTS, fee_poisha
from shop.orders.limits import MAX_QUANTITY
from shop.problems import Problem
from shop.texts import message
from tests.catalogue.helpers import product, snapshot

SHOP = snapshot(
    product(1, bn="গামছা", en="Gamcha", taka=180),
    product(2, bn="চা", en="Tea", taka=240, category="tea", stock="low"),
    product(3, bn="শাড়ি", en="Saree", taka=8900, stock="sold_out"),
)


def cart(*lines: tuple[int, int], district: str = "", language: Language = "en") -> PricedCart:
    wanted = [WantedLine(f"product-{number}", quantity) for number, quantity in lines]
    return price(SHOP, CartRequest(wanted, language, district))


def test_lines_and_sums_are_at_the_prices_of_now() -> None:
    priced = cart((1, 2), (2, 1), district="dhaka")
    assert [line.line_total_poisha for line in priced.lines] == [36_000, 24_000]
    assert (priced.subtotal_poisha, priced.delivery_poisha, priced.total_poisha) == (60_000, 6_000, 66_000)
    assert (priced.subtotal, priced.delivery, priced.total) == ("৳600", "৳60", "৳660")
    assert priced.orderable


def test_a_cart_speaks_the_shoppers_language() -> None:
    priced = cart((1, 2), (3, 1), language="bn", district="sylhet")
    assert [line.name for line in priced.lines] == ["গামছা", "শাড়ি"]
    assert priced.total == "৳৪৮০"
    assert priced.lines[1].message == message("sold_out", "bn")


def test_delivery_is_unknown_until_a_district_is_chosen() -> None:
    priced = cart((1, 1))
    assert (priced.delivery_poisha, priced.delivery, priced.total_poisha) == (None, None, 18_000)


def test_a_district_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        cart((1, 1), district="atlantis")
    assert caught.value.status == 400
    assert caught.value.extra["errors"][0]["field"] == "district"


def test_what_is_sold_out_or_unknown_is_said_and_not_counted() -> None:
    priced = cart((1, 1), (3, 1), (9, 1))
    assert [line.problem for line in priced.lines] == [None, "sold_out", "unknown_product"]
    assert [line.available for line in priced.lines] == [True, False, False]
    assert priced.subtotal_poisha == 18_000
    assert not priced.orderable


def test_what_is_nearly_gone_can_be_bought() -> None:
    (line,) = cart((2, 1)).lines
    assert (line.stock, line.available) == ("low", True)


def test_the_same_product_twice_is_one_line_and_one_limit() -> None:
    (line,) = cart((1, 3), (1, 4)).lines
    assert (line.quantity, line.problem) == (7, None)
    (line,) = cart((1, MAX_QUANTITY), (1, 1)).lines
    assert (line.quantity, line.problem) == (MAX_QUANTITY + 1, "too_many")


def test_an_empty_cart_costs_nothing_and_can_not_be_ordered() -> None:
    priced = cart()
    assert (priced.total_poisha, priced.orderable, priced.lines) == (0, False, [])


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, MAX_QUANTITY)), max_size=20),
    st.sampled_from([*DISTRICTS, ""]),
)
def test_sums_always_add_up(lines: list[tuple[int, int]], district: str) -> None:
    priced = cart(*lines, district=district)
    assert priced.subtotal_poisha == sum(line.line_total_poisha for line in priced.lines if line.available)
    assert priced.total_poisha == priced.subtotal_poisha + (priced.delivery_poisha or 0)
    assert all(line.line_total_poisha == line.unit_price_poisha * line.quantity for line in priced.lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_districts_are_all_there_by_name_with_their_fees(language: Language) -> None:
    listed = districts(language)
    assert {each.district: each.delivery_poisha for each in listed} == {
        slug: fee_poisha(slug) for slug in DISTRICTS
    }
    assert [each.name for each in listed] == sorted(each.name for each in listed)
