"""The documented handlers answer as the catalogue does, and their documentation is what they give."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from litestar import Litestar, MediaType, Request, Response
from litestar.di import Provide
from litestar.testing import TestClient

from shop.catalogue.answers import encoder
from shop.catalogue.catalogue import Catalogue
from shop.catalogue.controllers import ROUTES
from shop.problems import MEDIA_TYPE, Problem
from shop.settings import Settings
from tests.catalogue.helpers import product, snapshot


def loaded(*products: Any) -> Catalogue:
    """A catalogue with a snapshot, and no database."""
    catalogue = Catalogue(Settings(), None)  # type: ignore[arg-type]
    catalogue._snapshot = snapshot(*products)
    catalogue._encoder = encoder(catalogue._snapshot)
    return catalogue


def problem(_: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return Response(error.body(), status_code=error.status, media_type=MEDIA_TYPE)


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    catalogue = loaded(product(1, bn="গামছা", en="Gamcha"), product(2, bn="চা", en="Tea", category="tea"))
    app = Litestar(
        ROUTES,
        dependencies={"shop": Provide(lambda: SimpleNamespace(catalogue=catalogue), sync_to_thread=False)},
        exception_handlers={Problem: problem},
        logging_config=None,
    )
    with TestClient(app) as client:
        yield client


def test_handlers_answer_what_the_catalogue_answers(client: TestClient[Litestar]) -> None:
    listed = client.get("/api/v1/products", params={"q": "গাম", "lang": "en"})
    assert listed.status_code == 200
    assert listed.headers["content-type"] == MediaType.JSON.value
    assert [item["name"] for item in listed.json()["items"]] == ["Gamcha"]
    assert client.get("/api/v1/products/product-2").json()["name"] == "চা"
    assert len(client.get("/api/v1/categories").json()["items"]) == 2


def test_a_browser_that_knows_it_is_told_so(client: TestClient[Litestar]) -> None:
    tag = client.get("/api/v1/products").headers["etag"]
    again = client.get("/api/v1/products", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/api/v1/products", "/api/v1/products/product-1", "/api/v1/categories"])
def test_head_is_get_without_a_body(client: TestClient[Litestar], path: str) -> None:
    got, headed = client.get(path), client.head(path)
    assert headed.status_code == 200
    assert dict(headed.headers) == dict(got.headers)
    assert headed.content == b""


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/products?page=0", 400),
        ("/api/v1/products?lang=xx", 400),
        ("/api/v1/products/none", 404),
        ("/api/v1/products?category=none", 404),
    ],
)
def test_what_is_wrong_or_missing_is_no_error_of_the_shop(
    client: TestClient[Litestar], path: str, status: int
) -> None:
    assert client.get(path).status_code == status


def test_the_documentation_has_an_example_of_each_answer(client: TestClient[Litestar]) -> None:
    paths = client.get("/schema/openapi.json").json()["paths"]
    assert {path for path in paths if path.startswith("/api")} == {
        "/api/v1/products",
        "/api/v1/products/{slug}",
        "/api/v1/categories",
    }
    for path in ("/api/v1/products", "/api/v1/products/{slug}", "/api/v1/categories"):
        operation = paths[path]["get"]
        assert operation["summary"]
        assert operation["operationId"]
        (example,) = operation["responses"]["200"]["content"]["application/json"]["examples"].values()
        answered = client.get(path.replace("{slug}", "product-1") + "?lang=en").json()
        assert example["value"].keys() == answered.keys()


def test_the_schemas_are_what_is_sent(client: TestClient[Litestar]) -> None:
    schemas = client.get("/schema/openapi.json").json()["components"]["schemas"]
    detail = client.get("/api/v1/products/product-1").json()
    assert set(schemas["ProductDetail"]["properties"]) == set(detail)
    assert msgspec.json.encode(detail)
