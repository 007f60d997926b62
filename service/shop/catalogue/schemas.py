"""What the catalogue answers."""

from __future__ import annotations

import msgspec

from shop.catalogue.snapshot import StockState


class ProductCard(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list. `name` and `price` are text in the language asked for."""

    slug: str
    category: str
    name: str
    price_poisha: int
    price: str
    image: str
    """A file name below the storefront's `images/`."""
    stock: StockState


class ProductList(msgspec.Struct, frozen=True):
    """A page of products; `total` counts those of all `pages`."""

    items: list[ProductCard]
    total: int
    page: int
    pages: int


class ProductDetail(ProductCard, frozen=True, kw_only=True):
    """A product on its own page."""

    category_name: str
    description: str


class CategoryCard(msgspec.Struct, frozen=True):
    """A shelf, and how many products stand on it."""

    slug: str
    name: str
    products: int


class CategoryList(msgspec.Struct, frozen=True):
    """All shelves, in the shop's order."""

    items: list[CategoryCard]
