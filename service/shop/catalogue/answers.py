"""Answers of the catalogue as bytes: built once for a snapshot, then sent as they are."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple, cast, get_args
from urllib.parse import parse_qsl

import msgspec

from shop.catalogue.schemas import CategoryCard, CategoryList, ProductCard, ProductDetail, ProductList
from shop.catalogue.snapshot import ProductView, Snapshot
from shop.money import LANGUAGES, Language, taka
from shop.problems import MEDIA_TYPE, Problem

PRODUCTS = "/api/v1/products"
CATEGORIES = "/api/v1/categories"
PAGE_SIZE = 20
MOST_PAGES = 10_000
LONGEST_SEARCH = 100
"""Characters of a search."""
LONGEST_QUERY = 2_048
"""Bytes of a query string: 100 Bangla letters take 900."""
REMEMBERED = 1_024
"""Answers kept, of some 8 KB each."""

CACHE_CONTROL = b"public, max-age=1, stale-while-revalidate=30"
Headers = list[tuple[bytes, bytes]]
Sort = Literal["best", "new", "price", "-price", "name"]
"""`best`: a search's best first, else the newest."""


class Answer(NamedTuple):
    """An HTTP response, ready to be sent."""

    status: int
    headers: Headers
    body: bytes


class Query(NamedTuple):
    """What a list is asked for."""

    lang: Language = "bn"
    category: str = ""
    q: str = ""
    sort: Sort = "best"
    page: int = 1


class Encoded:
    """A document in both encodings, each with the headers that belong to it."""

    def __init__(self, document: msgspec.Struct) -> None:
        plain = msgspec.json.encode(document)
        tag = hashlib.blake2b(plain, digest_size=12).hexdigest().encode()
        packed = gzip.compress(plain, 9, mtime=0)
        self._plain = _Representation(b'"' + tag + b'"', plain, ())
        self._packed = self._plain  # of a small document gzip makes a larger one
        if len(packed) < len(plain):
            self._packed = _Representation(b'"' + tag + b'-gzip"', packed, ((b"content-encoding", b"gzip"),))

    def answer(self, headers: Iterable[tuple[bytes, bytes]], method: str) -> Answer:
        """The answer to a request with these headers (names in small letters): 200, or 304 if known."""
        encodings = known = b""
        for name, value in headers:
            if name == b"accept-encoding":
                encodings = value
            elif name == b"if-none-match":
                known = value
        chosen = self._packed if encodings and accepts_gzip(encodings) else self._plain
        if known and matches(known, chosen.tag):
            return Answer(304, chosen.unmodified[:], b"")
        return Answer(200, chosen.headers[:], b"" if method == "HEAD" else chosen.body)


class _Representation:
    def __init__(self, tag: bytes, body: bytes, more: tuple[tuple[bytes, bytes], ...]) -> None:
        self.tag = tag
        self.body = body
        self.unmodified: Headers = [
            (b"etag", tag),
            (b"cache-control", CACHE_CONTROL),
            (b"vary", b"Accept-Encoding"),
        ]
        self.headers: Headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self.unmodified,
            *more,
        ]


Encoder = Callable[[str, bytes], Encoded | None]


def encoder(snapshot: Snapshot) -> Encoder:
    """Gives for path and query string what `snapshot` answers; None: the path is not the catalogue's.

    What was asked for lately is remembered: by the very text of the request, and by its meaning, so that a
    parameter that means nothing costs no second encoding. Raises Problem for what can not be answered.
    """
    documents = lru_cache(maxsize=REMEMBERED)(partial(_document, snapshot))
    return lru_cache(maxsize=REMEMBERED)(partial(_encoded, documents))


def refusal(problem: Problem, method: str) -> Answer:
    """A problem as an answer."""
    body = problem.body()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers.append((b"cache-control", b"no-store"))
    return Answer(problem.status, headers, b"" if method == "HEAD" else body)


@lru_cache(maxsize=256)
def accepts_gzip(header: bytes) -> bool:
    """Whether `Accept-Encoding` allows gzip by name."""
    for part in header.lower().split(b","):
        coding, _, parameters = part.partition(b";")
        if coding.strip() in (b"gzip", b"x-gzip"):
            weight = parameters.replace(b" ", b"").removeprefix(b"q=")
            return not weight or weight.strip(b"0.") != b""
    return False


def matches(header: bytes, tag: bytes) -> bool:
    """Whether `If-None-Match` names `tag`; weakly, since a proxy may have made it weak."""
    if header == tag:
        return True
    return any(part.strip().removeprefix(b"W/") in (tag, b"*") for part in header.split(b","))


def query(query_string: bytes) -> Query:
    """What a query string asks for. Problem 400 names every parameter that is wrong."""
    if len(query_string) > LONGEST_QUERY:
        raise invalid([("query", f"longer than {LONGEST_QUERY} bytes")])
    try:
        pairs = dict(parse_qsl(query_string.decode("utf-8", "replace"), max_num_fields=32))
    except ValueError:
        raise invalid([("query", "more than 32 parameters")]) from None
    wrong = []
    lang, sort, page = pairs.get("lang", "bn"), pairs.get("sort", "best"), pairs.get("page", "1")
    if lang not in LANGUAGES:
        wrong.append(("lang", f"one of {', '.join(LANGUAGES)}"))
    if sort not in get_args(Sort):
        wrong.append(("sort", f"one of {', '.join(get_args(Sort))}"))
    if not (
        page.isascii()
        and page.isdigit()
        and len(page) <= len(str(MOST_PAGES))
        and 1 <= int(page) <= MOST_PAGES
    ):
        wrong.append(("page", f"a whole number from 1 to {MOST_PAGES}"))
    q = pairs.get("q", "").strip()
    if len(q) > LONGEST_SEARCH:
        wrong.append(("q", f"longer than {LONGEST_SEARCH} characters"))
    if wrong:
        raise invalid(wrong)
    return Query(cast("Language", lang), pairs.get("category", ""), q, cast("Sort", sort), int(page))


def invalid(wrong: list[tuple[str, str]]) -> Problem:
    """400 for fields that are wrong, each with what it should be."""
    errors = [{"field": field, "message": message} for field, message in wrong]
    return Problem(
        400, "invalid", "; ".join(f"{field}: {message}" for field, message in wrong), errors=errors
    )


def _encoded(
    documents: Callable[[str, str, Query], Encoded], path: str, query_string: bytes
) -> Encoded | None:
    if path == PRODUCTS:
        return documents("list", "", query(query_string))
    if path == CATEGORIES:
        return documents("categories", "", Query(query(query_string).lang))
    slug = path.removeprefix(PRODUCTS + "/")
    if slug == path or "/" in slug:
        return None
    return documents("product", slug, Query(query(query_string).lang))


def _document(snapshot: Snapshot, kind: str, slug: str, asked: Query) -> Encoded:
    if kind == "list":
        return Encoded(_list(snapshot, asked))
    if kind == "categories":
        return Encoded(_categories(snapshot, asked.lang))
    return Encoded(_product(snapshot, slug, asked.lang))


def _list(snapshot: Snapshot, asked: Query) -> ProductList:
    if asked.category and asked.category not in snapshot.categories:
        raise Problem(404, "unknown_category", "there is no such category")
    found = snapshot.search(asked.q) if asked.q else list(snapshot.products.values())
    if asked.category:
        found = [product for product in found if product.category == asked.category]
    found = _sorted(found, asked)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    if asked.page > pages:
        raise Problem(404, "no_such_page", f"the last page is {pages}", pages=pages)
    first = (asked.page - 1) * PAGE_SIZE
    cards = [ProductCard(**_card(product, asked.lang)) for product in found[first : first + PAGE_SIZE]]
    return ProductList(cards, len(found), asked.page, pages)


def _sorted(found: list[ProductView], asked: Query) -> list[ProductView]:
    sort = asked.sort
    if sort == "new" or (sort == "best" and not asked.q):
        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)
    if sort == "name":
        return sorted(found, key=lambda each: (each.name(asked.lang).casefold(), each.id))
    if sort in ("price", "-price"):
        sign = -1 if sort == "-price" else 1
        return sorted(found, key=lambda each: (sign * each.price_poisha, each.id))
    return found  # as the search ranked them


def _product(snapshot: Snapshot, slug: str, lang: Language) -> ProductDetail:
    product = snapshot.products.get(slug)
    if product is None:
        raise Problem(404, "unknown_product", "there is no such product")
    return ProductDetail(
        **_card(product, lang),
        category_name=snapshot.categories[product.category].name(lang),
        description=product.description(lang),
    )


def _card(product: ProductView, lang: Language) -> dict[str, Any]:
    return {
        "slug": product.slug,
        "category": product.category,
        "name": product.name(lang),
        "price_poisha": product.price_poisha,
        "price": taka(product.price_poisha, lang),
        "image": product.image,
        "stock": product.stock,
    }


def _categories(snapshot: Snapshot, lang: Language) -> CategoryList:
    return CategoryList(
        [CategoryCard(each.slug, each.name(lang), each.products) for each in snapshot.categories.values()]
    )
