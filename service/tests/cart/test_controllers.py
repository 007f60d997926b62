"""The cart over HTTP: a price that a client sends means nothing, and bad input is no error of the shop."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.testing import TestClient

from shop.cart.controllers import EXAMPLE, ROUTES
from shop.problems import MEDIA_TYPE, Problem
from tests.catalogue.helpers import product, snapshot

SHOP = SimpleNamespace(catalogue=SimpleNamespace(snapshot=snapshot(product(1, en="Gamcha", taka=180))))


def problem(_: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return Response(error.body(), status_code=error.status, media_type=MEDIA_TYPE)


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    app = Litestar(
        ROUTES,
        dependencies={"shop": Provide(lambda: SHOP, sync_to_thread=False)},
        exception_handlers={Problem: problem},
        logging_config=None,
    )
    with TestClient(app) as client:
        yield client


def test_a_cart_is_priced(client: TestClient[Litestar]) -> None:
    answer = client.post(
        "/api/v1/cart",
        json={"lines": [{"product": "product-1", "quantity": 2}], "district": "dhaka", "language": "en"},
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["total"] == "৳420"


def test_a_price_that_the_client_sends_means_nothing(client: TestClient[Litestar]) -> None:
    line = {"product": "product-1", "quantity": 1, "unit_price_poisha": 1, "price": "free"}
    answer = client.post("/api/v1/cart", json={"lines": [line], "total_poisha": 1})
    assert answer.json()["subtotal_poisha"] == 18_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"cart"',
        b'{"lines": 3}',
        b'{"lines": [{"product": "product-1"}]}',
        b'{"lines": [{"product": "product-1", "quantity": 0}]}',
        b'{"lines": [{"product": "product-1", "quantity": -1}]}',
        b'{"lines": [{"product": "product-1", "quantity": 11}]}',
        b'{"lines": [{"product": "product-1", "quantity": 1e300}]}',
        b'{"lines": [{"product": "product-1", "quantity": 1.5}]}',
        b'{"lines": [{"product": "", "quantity": 1}]}',
        b'{"lines": [{"product": "' + b"x" * 101 + b'", "quantity": 1}]}',
        b'{"lines": [' + b",".join([b'{"product": "a", "quantity": 1}'] * 21) + b"]}",
        b'{"lines": [], "language": "fr"}',
        b'{"lines": [], "district": "nowhere"}',
        b'{"lines": [], "district": "' + b"d" * 65 + b'"}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_refused(client: TestClient[Litestar], body: bytes) -> None:
    answer = client.post("/api/v1/cart", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_markup_and_sql_are_names_of_nothing(client: TestClient[Litestar]) -> None:
    for slug in ("<script>alert(1)</script>", "' OR 1=1 --", "\u202e\u0000"):
        answer = client.post("/api/v1/cart", json={"lines": [{"product": slug, "quantity": 1}]})
        assert answer.status_code == 200
        assert answer.json()["lines"][0]["problem"] == "unknown_product"


def test_districts_are_listed_in_both_languages(client: TestClient[Litestar]) -> None:
    english, bangla = client.get("/api/v1/districts?lang=en"), client.get("/api/v1/districts")
    assert len(english.json()["items"]) == 64
    assert {
        "district": "dhaka",
        "name": "Dhaka",
        "delivery_poisha": 6000,
        "delivery": "৳60",
    } in english.json()["items"]
    assert "৳৬০" in bangla.text
    assert "max-age=300" in english.headers["cache-control"]


def test_the_example_is_what_is_answered(client: TestClient[Litestar]) -> None:
    answer = client.post("/api/v1/cart", json={"lines": [{"product": "product-1", "quantity": 1}]}).json()
    assert answer.keys() == EXAMPLE.keys()
    assert answer["lines"][0].keys() == EXAMPLE["lines"][0].keys()  # type: ignore[index]
