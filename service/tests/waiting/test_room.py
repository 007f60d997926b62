"""The waiting room: fair by arrival, at the shop's pace, forged by nobody, ended by sold out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.problems import Problem
from shop.secret_file import LOOK, SecretFile
from shop.settings import Settings
from shop.waiting.line import Line
from shop.waiting.room import CALM, Place, WaitingRoom
from shop.waiting.tickets import PASS_LIVES, SKEW, TICKET_LIVES, Ticket, Tickets

KEY = "key-of-an-order-0001"


class World:
    """A room whose time, writer and shelves the test holds."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1_000_000.0
        self.writer = SimpleNamespace(capacity=100, committed=0, depth=0)
        self.stock = {"saree": "in_stock"}
        self.room = WaitingRoom(Settings(**settings), self, self.writer, lambda: self.now)  # type: ignore[arg-type]

    @property
    def snapshot(self) -> Any:
        """The catalogue's."""
        return SimpleNamespace(
            products={slug: SimpleNamespace(stock=state) for slug, state in self.stock.items()}
        )

    def crowd(self) -> None:
        """Make the room open."""
        self.writer.depth = 90
        self.now += 1
        assert self.room.enter("someone-elses-key-01", ("saree",)).state != "open"
        self.writer.depth = 0


def test_without_a_crowd_nobody_waits() -> None:
    world = World()
    assert world.room.enter(KEY, ("saree",)) == Place("open")
    world.room.admit(KEY, None)


def test_a_crowd_opens_the_room_and_an_order_needs_a_pass() -> None:
    world = World()
    world.crowd()
    with pytest.raises(Problem) as caught:
        world.room.admit(KEY, None)
    assert (caught.value.status, caught.value.code) == (503, "waiting_room")
    assert "Retry-After" in caught.value.headers


def test_who_waits_is_let_in_and_the_pass_is_for_one_order() -> None:
    world = World()
    world.crowd()
    world.now += 0.1
    place = world.room.enter(KEY, ("saree",))
    assert place.state == "waiting"
    assert place.retry_after >= 1
    for _ in range(20):
        world.now += 1
        place = world.room.poll(place.ticket)
        if place.state == "admitted":
            break
    assert place.state == "admitted"
    world.room.admit(KEY, place.waiting_pass)
    with pytest.raises(Problem):
        world.room.admit("key-of-another-order", place.waiting_pass)


def test_sold_out_ends_the_wait() -> None:
    world = World()
    world.crowd()
    world.now += 0.1
    place = world.room.enter(KEY, ("saree",))
    world.stock["saree"] = "sold_out"
    assert world.room.poll(place.ticket).state == "sold_out"


def test_the_room_closes_when_nobody_waits() -> None:
    world = World()
    world.crowd()
    for _ in range(int(CALM) + 20):
        world.now += 1
        world.room._tick(world.now)
    assert not world.room.active
    world.room.admit(KEY, None)


def test_a_pace_that_is_set_is_kept() -> None:
    world = World(orders_per_second=10.0)
    for _ in range(50):
        world.room.admit(KEY, None)
    world.now += 1
    assert world.room.enter(KEY, ("saree",)).state in ("waiting", "admitted")
    assert world.room.active
    assert world.room.pace == 10.0


@given(st.lists(st.floats(0, 60), min_size=1, max_size=200), st.floats(1, 50))
def test_nobody_is_let_in_before_who_came_earlier_and_no_faster_than_the_pace(
    arrivals: list[float], pace: float
) -> None:
    line, start = Line(0.0), 61.0
    for arrival in arrivals:
        line.count(arrival + 0.01, start)
    before = sum(line.admits(arrival + 0.01) for arrival in arrivals)
    line.advance(start, 0.0)
    for tick in range(1, 5):
        line.advance(start + tick, pace)
        admitted = [arrival for arrival in arrivals if line.admits(arrival + 0.01)]
        refused = [arrival for arrival in arrivals if not line.admits(arrival + 0.01)]
        assert not admitted or not refused or max(admitted) <= min(refused)
    # Within one second arrivals count as spread evenly: that second may be off by its own number.
    crowded = max(sum(int(a + 0.01) == int(b + 0.01) for b in arrivals) for a in arrivals)
    assert len(admitted) - before <= 4 * pace + pace * 2 + crowded + 1


def test_everybody_is_let_in_at_last() -> None:
    line = Line(0.0)
    for tick in range(60):
        now = 41.0 + tick / 2
        for arrival in range(1, 40):
            if tick % 10 == 0 and not line.admits(arrival + 0.5):
                line.count(arrival + 0.5, now)  # everybody asks again every five seconds
        line.advance(now, 2.0)
    assert line.admits(39.5)
    assert line.empty(71.0)


@pytest.mark.parametrize(
    "forge", [lambda text: text + "x", lambda text: text[:-3], lambda _: "nonsense", lambda _: "é"]
)
def test_a_forged_ticket_is_no_ticket(forge: Any) -> None:
    tickets = Tickets(None)
    text = tickets.ticket(Ticket(1.0, KEY, ("saree",)))
    with pytest.raises(Problem) as caught:
        tickets.read(forge(text), 2.0)
    assert caught.value.status == 400
    assert not tickets.allows(forge(text), KEY, 2.0)


def test_a_ticket_is_no_pass_and_other_keys_sign_other_tickets() -> None:
    ours, theirs = Tickets(None), Tickets(None)
    assert not ours.allows(ours.ticket(Ticket(1.0, KEY, ())), KEY, 2.0)
    with pytest.raises(Problem):
        theirs.read(ours.ticket(Ticket(1.0, KEY, ())), 2.0)


def test_tickets_and_passes_end() -> None:
    tickets = Tickets(None)
    text, granted = tickets.ticket(Ticket(1.0, KEY, ())), tickets.grant(KEY, 1.0)
    with pytest.raises(Problem) as caught:
        tickets.read(text, 2.0 + TICKET_LIVES)
    assert caught.value.status == 410
    assert tickets.allows(granted, KEY, PASS_LIVES)
    assert not tickets.allows(granted, KEY, 2.0 + PASS_LIVES)


def test_clocks_of_pods_may_differ_a_little() -> None:
    tickets = Tickets(None)
    ahead = tickets.ticket(Ticket(100.0 + SKEW / 2, KEY, ()))
    assert tickets.read(ahead, 100.0).arrival == 100.0, "nobody gains by it"
    with pytest.raises(Problem):
        tickets.read(ahead, 0.0)


def test_a_replaced_key_still_verifies(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "ticket-key"
    path.write_text("the first key of this shop")
    tickets = Tickets(SecretFile(path, lambda: now))
    text = tickets.ticket(Ticket(1.0, KEY, ()))
    path.write_text("the second key of this shop")
    now = LOOK + 1
    assert tickets.read(text, 2.0).key == KEY
    assert tickets.ticket(Ticket(1.0, KEY, ())) != text
