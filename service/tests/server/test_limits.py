"""Room for requests: the limit follows what the shop can do, and an order goes before a look around."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.server.limits import CEILING, FLOOR, SHARE, START, WINDOW, Limiter
from shop.server.rate import CLIENTS, Rate


def fill(limiter: Limiter, kind: str) -> int:
    """How many of a class are let in, one after another."""
    count = 0
    while limiter.enter(kind):
        count += 1
    return count


def test_checkout_goes_on_where_cart_and_browsing_wait() -> None:
    limiter = Limiter()
    browse = fill(limiter, "browse")
    cart = fill(limiter, "cart")
    checkout = fill(limiter, "checkout")
    assert browse == pytest.approx(START * SHARE["browse"], abs=1)
    assert browse + cart == pytest.approx(START * SHARE["cart"], abs=1)
    assert browse + cart + checkout == START
    assert not limiter.enter("checkout")


def test_slow_answers_shrink_the_limit_down_to_the_floor() -> None:
    limiter = Limiter()
    for _ in range(100 * WINDOW):
        assert limiter.enter("checkout")
        limiter.leave("checkout", 2.0)
    assert limiter.limit == FLOOR


def test_quick_answers_let_it_grow_when_room_is_needed_only() -> None:
    limiter = Limiter()
    for _ in range(10 * WINDOW):
        limiter.enter("checkout")
        limiter.leave("checkout", 0.01)
    assert limiter.limit == START, "nobody needed more"
    for _ in range(400):
        let_in = fill(limiter, "checkout")
        for _ in range(let_in):
            limiter.leave("checkout", 0.01)
    assert limiter.limit == CEILING


@given(st.lists(st.tuples(st.sampled_from(sorted(SHARE)), st.floats(0, 5)), max_size=300))
def test_it_stays_between_its_bounds_and_forgets_nobody(requests: list[tuple[str, float]]) -> None:
    limiter = Limiter()
    for kind, seconds in requests:
        if limiter.enter(kind):
            limiter.leave(kind, seconds)
    assert limiter.in_flight == 0
    assert FLOOR <= limiter.limit <= CEILING


def test_a_client_may_so_often_and_then_waits() -> None:
    now = 0.0
    rate = Rate(30, clock=lambda: now)
    assert [rate.wait("a") for _ in range(30)] == [0.0] * 30
    assert rate.wait("a") == pytest.approx(2.0)
    assert rate.wait("b") == 0.0, "another client is another matter"
    now = 2.1
    assert rate.wait("a") == 0.0
    assert rate.wait("a") > 0


def test_clients_without_number_take_bounded_room() -> None:
    rate = Rate(1, clock=lambda: 0.0)
    for number in range(CLIENTS + 100):
        rate.wait(str(number))
    assert len(rate._buckets) == CLIENTS
