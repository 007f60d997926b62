"""Real shoppers, for Locust: they look around, search in Bangla, fill a cart, wait in line, order, and track.

`make loadtest` runs it; by hand, against a shop on this machine:

    locust -f loadtest/locustfile.py --host http://127.0.0.1:8000

LOADTEST_ANSWERS names the file that takes what shoppers were told of their orders.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, events, task

from loadtest import shoppers
from loadtest.client import local
from loadtest.verdict import Answer, write

ORDERS = "/api/v1/orders"
PATIENCE = 20.0
"""Seconds in line until a shopper goes away."""
_numbers = iter(range(1, 1 << 24))
_answers = Path(os.environ.get("LOADTEST_ANSWERS", os.devnull))


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def only_this_machine(environment: Any, **_: Any) -> None:
    """Nothing else is ever loaded."""
    try:
        local(environment.host or "")
    except ValueError as error:
        raise SystemExit(f"loadtest: {error}") from None


class Shopper(FastHttpUser):
    """One person with a phone. The pauses are those of an eager one, shortened tenfold for a small run."""

    wait_time = between(0.1, 1.0)

    def on_start(self) -> None:
        """A new visitor, with an address of their own."""
        number = next(_numbers)
        self.generator = random.Random(number)  # noqa: S311 - behaviour, no secret
        self.headers = {"X-Client-Address": shoppers.client_address(number)}
        self.language = self.generator.choice(("bn", "bn", "bn", "en"))
        self.seen: list[str] = []
        self.cart: list[str] = []
        self.look_around()

    @task(10)
    def look_around(self) -> None:
        """A page of the list."""
        page = self.generator.randint(1, 3)
        answer = self.get("/api/v1/products", {"lang": self.language, "page": str(page)})
        if answer is not None and answer.status_code == 200:
            self.seen = [each["slug"] for each in answer.json()["items"]] or self.seen

    @task(3)
    def search(self) -> None:
        """A few letters, mostly Bangla."""
        self.get("/api/v1/products", {"lang": self.language, "q": self.generator.choice(shoppers.SEARCHES)})

    @task(8)
    def look_closer(self) -> None:
        """A product's page; some end in the cart."""
        if not self.seen:
            return
        slug = self.generator.choice(self.seen)
        self.get(f"/api/v1/products/{slug}", {"lang": self.language}, "/api/v1/products/{slug}")
        if self.generator.random() < 0.4 and slug not in self.cart and len(self.cart) < 5:
            self.cart.append(slug)

    @task(3)
    def price_the_cart(self) -> None:
        """The cart page."""
        if self.cart:
            lines = [{"product": slug, "quantity": 1} for slug in self.cart]
            body = {"lines": lines, "district": "dhaka", "language": self.language}
            self.send("/api/v1/cart", body)

    @task(2)
    def check_out(self) -> None:
        """Order, with an impatient second tap on the button; then look where the order stands."""
        if not self.cart:
            return
        body = shoppers.order(self.generator, self.cart, most=2)
        key = shoppers.key()
        waiting_pass = self.wait_in_line(key)
        if waiting_pass is None:
            return
        taps = [gevent.spawn(self.order, key, body, waiting_pass) for _ in range(2)]
        gevent.joinall(taps)
        answers = [tap.value for tap in taps if tap.value]
        write(_answers, answers)
        self.cart = []
        placed = [each.number for each in answers if each.status == 201]
        if placed:
            self.send(f"{ORDERS}/track", {"number": placed[0], "phone": body["shipping"]["phone"]})

    def wait_in_line(self, key: str) -> str | None:
        """The pass to order with, `""` where there is no line, None for who gives up or finds it sold out."""
        place = self.told("/api/v1/waiting-room", {"key": key, "products": self.cart})
        deadline = time.monotonic() + PATIENCE
        while place and place["state"] == "waiting" and time.monotonic() < deadline:
            gevent.sleep(min(place.get("retry_after", 1), 5))
            place = self.told("/api/v1/waiting-room/poll", {"ticket": place["ticket"]})
        if not place or place["state"] not in ("open", "admitted"):
            return None
        return str(place.get("waiting_pass", ""))

    def told(self, path: str, body: Any) -> dict[str, Any]:
        """The answer to a POST, empty unless it is 200."""
        answer = self.send(path, body)
        return dict(answer.json()) if answer is not None and answer.status_code == 200 else {}

    def order(self, key: str, body: Any, waiting_pass: str) -> Answer:
        """One tap."""
        headers = {"Idempotency-Key": key} | ({"Waiting-Pass": waiting_pass} if waiting_pass else {})
        began = time.perf_counter()
        answer = self.send(ORDERS, body, headers, (201, 409))
        seconds = time.perf_counter() - began
        status = answer.status_code if answer is not None else 0
        number = answer.json()["number"] if status == 201 else ""
        return Answer(key, status or 0, number, seconds, shed=_is_shed(answer))

    def get(self, path: str, query: dict[str, str], name: str | None = None) -> Any:
        """A GET; whatever is neither success nor shed is a failure."""
        return self.judged(
            lambda: self.client.get(
                path, params=query, headers=self.headers, name=name or path, catch_response=True
            )
        )

    def send(
        self,
        path: str,
        body: Any,
        headers: dict[str, str] | None = None,
        expected: tuple[int, ...] = (200, 201),
    ) -> Any:
        """A POST of JSON."""
        return self.judged(
            lambda: self.client.post(
                path, json=body, headers=self.headers | (headers or {}), name=path, catch_response=True
            ),
            expected,
        )

    def judged(self, request: Callable[[], Any], expected: tuple[int, ...] = (200,)) -> Any:
        """Do it. Shed load and a limit reached are answers, not failures."""
        with request() as answer:
            if answer.status_code in expected or answer.status_code == 429 or _is_shed(answer):
                answer.success()
            else:
                answer.failure(f"{answer.status_code}: {(answer.text or '')[:200]}")
            return answer


def _is_shed(answer: Any) -> bool:
    return answer is not None and answer.status_code == 503 and "Retry-After" in (answer.headers or {})
