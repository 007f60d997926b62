"""The decision: whole orders in the order of arrival, and never a piece that is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shop.orders.allocate import Decision, Item, PlaceOrder, allocate, order_number
from tests.orders.shelf import wish, wish_for

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SLUGS = ("a", "b", "c")

lines = st.dictionaries(st.sampled_from(SLUGS), st.integers(1, 10), min_size=1)
stocks = st.fixed_dictionaries({slug: st.integers(0, 30) for slug in SLUGS})


def decide(requests: list[PlaceOrder], **available: int) -> Decision:
    stock = {slug: Item(n, slug, left, 100_00) for n, (slug, left) in enumerate(sorted(available.items()), 1)}
    return allocate(requests, stock, NOW, timedelta(minutes=15))


@given(st.lists(lines, max_size=30), stocks)
def test_nothing_is_sold_that_is_not_there_and_every_piece_is_accounted_for(
    wanted: list[dict[str, int]], available: dict[str, int]
) -> None:
    decision = decide([wish_for(each) for each in wanted], **available)
    sold = dict.fromkeys(range(1, 4), 0)
    for outcome in decision.outcomes:
        for product, quantity, _ in outcome.order.lines if outcome.order else ():
            sold[product] += quantity
    for number, slug in enumerate(SLUGS, 1):
        left = decision.left.get(number, available[slug])
        assert left >= 0
        assert left == available[slug] - sold[number]


@given(st.lists(lines, max_size=30), stocks)
def test_who_is_refused_could_not_have_been_served(
    wanted: list[dict[str, int]], available: dict[str, int]
) -> None:
    left = dict(available)
    for outcome, each in zip(
        decide([wish_for(each) for each in wanted], **available).outcomes, wanted, strict=True
    ):
        fits = all(left[slug] >= quantity for slug, quantity in each.items())
        assert (outcome.status == 201) == fits
        if fits:
            left = {slug: left[slug] - each.get(slug, 0) for slug in left}


def test_a_large_order_that_is_refused_leaves_room_for_a_small_one() -> None:
    statuses = [outcome.status for outcome in decide([wish(saree=9), wish(saree=2)], saree=5).outcomes]
    assert statuses == [409, 201]


def test_sold_out_says_what_is_left() -> None:
    body = msgspec.json.decode(decide([wish(saree=6)], saree=5).outcomes[0].body)
    assert (body["code"], body["products"]) == ("sold_out", [{"product": "saree", "left": 5}])


def test_the_price_is_the_shops_and_another_than_the_shopper_saw_orders_nothing() -> None:
    seen = wish(saree=2)._replace(seen_total_poisha=1)
    right = wish(saree=2)._replace(seen_total_poisha=200_00 + 60_00)
    decision = decide([seen, right], saree=5)
    assert [outcome.status for outcome in decision.outcomes] == [409, 201]
    assert msgspec.json.decode(decision.outcomes[0].body)["code"] == "price_changed"
    assert decision.left == {1: 3}


def test_what_shoppers_are_shown_changes_at_the_last_pieces_only() -> None:
    assert not decide([wish(saree=1)], saree=30).shown
    assert decide([wish(saree=1)], saree=6).shown, "nearly gone"
    assert decide([wish(saree=5)], saree=5).shown, "sold out"


def test_only_who_pays_online_has_a_time_to_pay() -> None:
    until = [
        outcome.order and outcome.order.reserved_until
        for outcome in decide([wish(), wish(payment="bkash")], saree=9).outcomes
    ]
    assert until == [None, NOW + timedelta(minutes=15)]


def test_numbers_can_be_read_out_and_do_not_repeat() -> None:
    numbers = {order_number() for _ in range(10_000)}
    assert len(numbers) == 10_000
    assert all(len(number) == 10 and not set(number) & set("ILOU") for number in numbers)
