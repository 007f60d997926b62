"""Answers are right, remembered, compressed once, and known again by their tag."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from shop.catalogue.answers import (
    LONGEST_QUERY,
    Answer,
    accepts_gzip,
    encoder,
    matches,
    query,
)
from shop.problems import Problem
from tests.catalogue.helpers import product, snapshot

ENCODER = encoder(
    snapshot(
        *(
            product(number, en=f"Saree {number:02}", bn=f"শাড়ি {number:02}", taka=100 + number)
            for number in range(1, 42)
        ),
        product(42, bn="চা", en="Tea", category="tea", taka=50, stock="low"),
    )
)


def get(path: str, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET") -> Answer:
    path, _, query_string = path.partition("?")
    encoded = ENCODER(path, query_string.encode())
    assert encoded is not None
    return encoded.answer(headers or [], method)


def document(path: str) -> Any:
    answer = get(path)
    assert answer.status == 200
    return json.loads(answer.body)


def refused(path: str) -> Problem:
    with pytest.raises(Problem) as caught:
        get(path)
    return caught.value


def test_a_page_has_twenty_products_the_newest_first() -> None:
    page = document("/api/v1/products?lang=en")
    assert (page["total"], page["page"], page["pages"], len(page["items"])) == (42, 1, 3, 20)
    assert page["items"][0] == {
        "slug": "product-42",
        "category": "tea",
        "name": "Tea",
        "price_poisha": 5000,
        "price": "৳50",
        "image": "picture-42.svg",
        "stock": "low",
    }


def test_bangla_is_the_language_unless_english_is_asked_for() -> None:
    first = document("/api/v1/products")["items"][0]
    assert (first["name"], first["price"]) == ("চা", "৳৫০")


def test_the_pages_hold_each_product_once() -> None:
    slugs = [
        item["slug"] for page in (1, 2, 3) for item in document(f"/api/v1/products?page={page}")["items"]
    ]
    assert sorted(slugs) == sorted(f"product-{number}" for number in range(1, 43))


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("new", "product-42"),
        ("price", "product-42"),
        ("-price", "product-41"),
        ("name", "product-1"),
        ("best", "product-42"),
    ],
)
def test_lists_are_sorted_as_asked(sort: str, first: str) -> None:
    assert document(f"/api/v1/products?lang=en&sort={sort}")["items"][0]["slug"] == first


def test_a_category_narrows_a_list_and_a_search() -> None:
    assert document("/api/v1/products?category=tea")["total"] == 1
    assert document("/api/v1/products?category=tea&q=saree")["total"] == 0
    assert document(f"/api/v1/products?q={quote('শাড়ি')}")["total"] == 41


def test_a_search_that_finds_nothing_is_an_empty_page() -> None:
    assert document("/api/v1/products?q=bicycle") == {"items": [], "total": 0, "page": 1, "pages": 1}


def test_a_search_may_be_sorted_by_price() -> None:
    assert document("/api/v1/products?q=saree&sort=-price")["items"][0]["slug"] == "product-41"


def test_a_product_has_its_description_and_shelf() -> None:
    found = document("/api/v1/products/product-42?lang=en")
    assert (found["category_name"], found["description"]) == ("Tea", "")


def test_categories_come_in_the_shops_order() -> None:
    assert document("/api/v1/categories?lang=en")["items"] == [
        {"slug": "sarees", "name": "Sarees", "products": 41},
        {"slug": "tea", "name": "Tea", "products": 1},
    ]


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ("page=0", ["page"]),
        ("page=-1", ["page"]),
        ("page=two", ["page"]),
        ("page=1.5", ["page"]),
        ("page=10001", ["page"]),
        ("page=%E0%A7%A7", ["page"]),
        ("page=" + "9" * 400, ["page"]),
        ("lang=fr", ["lang"]),
        ("sort=stock", ["sort"]),
        ("sort=price;drop table product", ["sort"]),
        ("q=" + "a" * 101, ["q"]),
        ("lang=fr&sort=up&page=0", ["lang", "sort", "page"]),
        ("q=" + "a" * LONGEST_QUERY, ["query"]),
        ("a=1&" * 40, ["query"]),
    ],
)
def test_a_wrong_parameter_is_named(parameters: str, fields: list[str]) -> None:
    problem = refused(f"/api/v1/products?{parameters}")
    assert (problem.status, problem.code) == (400, "invalid")
    assert [error["field"] for error in problem.extra["errors"]] == fields


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/products/nothing", "unknown_product"),
        ("/api/v1/products/", "unknown_product"),
        ("/api/v1/products/%00", "unknown_product"),
        ("/api/v1/products?category=nothing", "unknown_category"),
        ("/api/v1/products?page=4", "no_such_page"),
    ],
)
def test_what_does_not_exist_is_not_found(path: str, code: str) -> None:
    problem = refused(path)
    assert (problem.status, problem.code) == (404, code)


@pytest.mark.parametrize("path", ["/", "/api/v1/orders", "/api/v1/productsmore", "/api/v1/products/a/b"])
def test_other_paths_are_left_to_others(path: str) -> None:
    assert ENCODER(path, b"") is None


def test_bytes_that_are_no_text_are_read_as_well_as_can_be() -> None:
    assert query(b"q=\xff\xfe&lang=en").lang == "en"
    assert query("q=চা".encode()).q == "চা"


def test_gzip_is_the_same_document_and_smaller() -> None:
    plain, packed = get("/api/v1/products"), get("/api/v1/products", [(b"accept-encoding", b"br, gzip")])
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert (b"content-encoding", b"gzip") in packed.headers
    assert (b"vary", b"Accept-Encoding") in plain.headers
    assert dict(packed.headers)[b"content-length"] == str(len(packed.body)).encode()


def test_a_document_that_gzip_makes_larger_is_sent_as_it_is() -> None:
    answer = get("/api/v1/products?q=bicycle", [(b"accept-encoding", b"gzip")])
    assert b"content-encoding" not in dict(answer.headers)


def test_caches_may_keep_it_for_a_second_and_serve_it_stale_for_thirty() -> None:
    assert (
        dict(get("/api/v1/products").headers)[b"cache-control"]
        == b"public, max-age=1, stale-while-revalidate=30"
    )


@pytest.mark.parametrize("encoding", [b"", b"gzip"])
def test_a_known_tag_is_answered_with_304_and_no_body(encoding: bytes) -> None:
    accept = [(b"accept-encoding", encoding)]
    tag = dict(get("/api/v1/products", accept).headers)[b"etag"]
    answer = get("/api/v1/products", [*accept, (b"if-none-match", tag)])
    assert (answer.status, answer.body) == (304, b"")
    assert dict(answer.headers)[b"etag"] == tag
    assert b"content-length" not in dict(answer.headers)


def test_the_tag_is_strong_so_each_encoding_has_its_own() -> None:
    plain = dict(get("/api/v1/products").headers)[b"etag"]
    packed = dict(get("/api/v1/products", [(b"accept-encoding", b"gzip")]).headers)[b"etag"]
    assert plain != packed
    assert not plain.startswith(b"W/")


def test_pods_agree_on_the_tag_and_another_content_has_another() -> None:
    def tag(taka: int) -> bytes:
        encoded = encoder(snapshot(product(1, taka=taka)))("/api/v1/products", b"")
        assert encoded is not None
        return dict(encoded.answer([], "GET").headers)[b"etag"]

    assert tag(100) == tag(100) != tag(101)


def test_head_has_the_headers_of_get_and_no_body() -> None:
    got, headed = get("/api/v1/products/product-1"), get("/api/v1/products/product-1", method="HEAD")
    assert headed.headers == got.headers
    assert headed.body == b""


def test_a_parameter_that_means_nothing_costs_no_second_encoding() -> None:
    assert ENCODER("/api/v1/products", b"utm_source=a") is ENCODER("/api/v1/products", b"lang=bn&page=1")


def test_what_a_client_gets_is_its_own() -> None:
    get("/api/v1/products").headers.clear()
    assert get("/api/v1/products").headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"gzip", True),
        (b"deflate, GZIP;q=0.5", True),
        (b"gzip;q=1.0", True),
        (b"x-gzip", True),
        (b"gzip; q=0", False),
        (b"gzip;q=0.000", False),
        (b"br", False),
        (b"identity", False),
        (b"", False),
        (b";;,,=", False),
    ],
)
def test_gzip_is_sent_to_who_understands_it(header: bytes, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("header", "known"),
    [(b'"a"', True), (b'W/"a"', True), (b'"b", "a"', True), (b"*", True), (b'"b"', False), (b"a", False)],
)
def test_tags_are_compared_as_the_rfc_says(header: bytes, known: bool) -> None:
    assert matches(header, b'"a"') is known
