"""People who work in the shop, with the pages for staff open in a real browser."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext

from tests.web.servers import RealShop
from tests.web.shopper import PHONE, Shopper, shopper

PASSWORD = "a long enough phrase"
COOKIE = "shop-session"
OURS = {"X-Requested-With": "tests"}


def address() -> dict[str, str]:
    """The header of a client whom nobody has seen before: its tries to sign in are counted on their own."""
    return {"X-Client-Address": f"2001:db8::{random.randrange(1, 2**16):x}:{random.randrange(2**16):x}"}


@dataclass
class Office:
    """The staff of a shop: its manager from `shop demo`, and one of each other role."""

    shop: RealShop

    def __post_init__(self) -> None:
        found = re.search(r"(\S+@\S+), password (\S+)", self.shop.log.read_text())
        assert found, "the demo tells its manager's password"
        self.known = {"manager": (found[1], found[2])}
        for role in ("support", "warehouse"):
            self.hire(role)

    def hire(self, role: str, key: str = "") -> str:
        """Another account; its email. It is signed in as `key`, else as its role."""
        email = f"{uuid.uuid4().hex[:8]}@shop.example"
        person = {"email": email, "name": f"Person {email[:4]}", "role": role, "password": PASSWORD}
        assert self.ask("manager", "POST", "/staff", json=person).status_code == 201
        self.known[key or role] = (email, PASSWORD)
        return email

    def token(self, who: str) -> str:
        """A fresh one."""
        email, password = self.known[who]
        answer = httpx.post(
            f"{self.shop.url}/api/v1/sessions", json={"email": email, "password": password}, headers=address()
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        """What somebody else does meanwhile, without a browser."""
        headers = {"Authorization": f"Bearer {self.token(who)}"}
        return httpx.request(method, f"{self.shop.url}/api/v1/admin{path}", headers=headers, **more)

    def order(self, slug: str, pieces: int = 2, phone: str = "01712345678") -> str:
        """A shopper's; its number."""
        shipping = {"name": "<b>ক্রেতা</b>", "phone": phone, "district": "dhaka", "address": "১২ পরীক্ষা সড়ক"}
        answer = httpx.post(
            f"{self.shop.url}/api/v1/orders",
            json={"lines": [{"product": slug, "quantity": pieces}], "shipping": shipping},
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    def give(self, context: BrowserContext, who: str) -> None:
        """The cookie of a new session."""
        cookie = {"name": COOKIE, "value": self.token(who), "domain": "127.0.0.1", "path": "/api/v1"}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict


@contextmanager
def colleague(browser: Browser, office: Office, who: str, size: dict[str, int] = PHONE) -> Iterator[Shopper]:
    """A window of somebody who is signed in already; with `""` nobody is."""
    with shopper(browser, office.shop.url, size) as made:
        made.page.set_extra_http_headers(address())
        if who:
            office.give(made.page.context, who)
        else:
            made.ignored = ("401",)
        yield made
