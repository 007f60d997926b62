"""The catalogue over HTTP. The server answers these paths before it comes here; this documents them."""
# ruff: noqa: ARG001 -- parameters are declared for the documentation; the catalogue reads the request

from __future__ import annotations

from typing import Annotated, Any, Protocol

from litestar import HttpMethod, Request, get, route
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter, SkipValidation
from litestar.response.base import ASGIResponse

from shop.catalogue.answers import CATEGORIES, LONGEST_SEARCH, MOST_PAGES, PRODUCTS, Sort
from shop.catalogue.catalogue import Catalogue
from shop.catalogue.schemas import (
    CategoryCard,
    CategoryList,
    ProductCard,
    ProductDetail,
    ProductList,
)
from shop.money import Language
from shop.openapi import answer, problem
from shop.problems import Problem

SAREE = ProductCard(
    slug="jamdani-saree-red",
    category="sarees",
    name="Dhakai jamdani saree, red",
    price_poisha=890_000,
    price="৳8,900",
    image="saree-red.svg",
    stock="in_stock",
)
DETAIL = ProductDetail(
    slug=SAREE.slug,
    category=SAREE.category,
    name=SAREE.name,
    price_poisha=SAREE.price_poisha,
    price=SAREE.price,
    image=SAREE.image,
    stock=SAREE.stock,
    category_name="Sarees",
    description="Woven by hand on the looms of Rupganj, every flower laid in one by one.",
)

Lang = Annotated[Language, QueryParameter(description="Language of names, texts and prices.")]
Category = Annotated[str, QueryParameter(description="Only this category, by its slug.", max_length=64)]
Search = Annotated[
    str,
    QueryParameter(
        description="Words of either language; each must begin a word of the product.",
        max_length=LONGEST_SEARCH,
    ),
]
Sorting = Annotated[
    Sort,
    QueryParameter(description="`best`: a search's best first, else the newest."),
]
Page = Annotated[int, QueryParameter(description="Twenty products each.", ge=1, le=MOST_PAGES)]


class Shop(Protocol):
    """What these handlers need of the running shop."""

    catalogue: Catalogue


CurrentShop = NamedDependency[SkipValidation[Shop]]


def _responses(document: Any, example: Any) -> dict[int, ResponseSpec]:
    return {
        200: answer(document, "As asked", example),
        304: answer(None, "`If-None-Match` names what is in force"),
        400: problem("A parameter is wrong; `errors` names each"),
        404: problem("There is no such thing"),
        503: problem("The catalogue is not loaded yet, or the shop is too busy"),
    }


@get(
    PRODUCTS,
    operation_id="list_products",
    summary="Products, twenty a page",
    tags=["catalogue"],
    responses=_responses(ProductList, ProductList([SAREE], 1, 1, 1)),
)
async def list_products(
    request: Request[Any, Any, Any],
    shop: CurrentShop,
    lang: Lang = "bn",
    category: Category = "",
    q: Search = "",
    sort: Sorting = "best",
    page: Page = 1,
) -> ASGIResponse:
    """A page of products, of a category or found by a search, in the order asked for."""
    return _respond(request, shop)


@get(
    PRODUCTS + "/{slug:str}",
    operation_id="get_product",
    summary="A product",
    tags=["catalogue"],
    responses=_responses(ProductDetail, DETAIL),
)
async def get_product(
    request: Request[Any, Any, Any], shop: CurrentShop, slug: FromPath[str], lang: Lang = "bn"
) -> ASGIResponse:
    """A product with its description."""
    return _respond(request, shop)


@get(
    CATEGORIES,
    operation_id="list_categories",
    summary="Categories",
    tags=["catalogue"],
    responses=_responses(CategoryList, CategoryList([CategoryCard("sarees", "Sarees", 24)])),
)
async def list_categories(
    request: Request[Any, Any, Any], shop: CurrentShop, lang: Lang = "bn"
) -> ASGIResponse:
    """All categories in the shop's order, with the number of their products."""
    return _respond(request, shop)


@route([PRODUCTS, PRODUCTS + "/{slug:str}", CATEGORIES], http_method=HttpMethod.HEAD, include_in_schema=False)
async def head_of(request: Request[Any, Any, Any], shop: CurrentShop) -> ASGIResponse:
    """The same headers as GET."""
    return _respond(request, shop)


def _respond(request: Request[Any, Any, Any], shop: Shop) -> ASGIResponse:
    scope = request.scope
    answer = shop.catalogue.answer(scope["path"], scope["query_string"], scope["headers"], scope["method"])
    if answer is None:
        raise Problem(404, "not_found", "there is nothing here")
    return ASGIResponse(
        status_code=answer.status,
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers],
        body=answer.body,
        is_head_response=scope["method"] == "HEAD",
    )


ROUTES = [list_products, get_product, list_categories, head_of]
