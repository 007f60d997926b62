"""All that is for sale, at one version, in memory. Nothing in it ever changes: a new version is a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.catalogue.search import Index
from shop.database.tables import metadata
from shop.money import Language
from shop.stock.models import LOW

StockState = Literal["in_stock", "low", "sold_out"]

NAME, SHELF, DESCRIPTION = 8, 3, 1  # what a word weighs by where it stands

_PRODUCT = metadata.tables["product"]
_CATEGORY = metadata.tables["category"]
_STOCK = metadata.tables["stock"]
_VERSION = metadata.tables["catalogue_version"]


def stock_state(available: int) -> StockState:
    """What shoppers are told of so many pieces."""
    if available <= 0:
        return "sold_out"
    return "low" if available <= LOW else "in_stock"


class CategoryView(msgspec.Struct, frozen=True):
    """A shelf, and how many products stand on it."""

    slug: str
    name_bn: str
    name_en: str
    products: int

    def name(self, language: Language) -> str:
        """Its name in a language."""
        return self.name_bn if language == "bn" else self.name_en


class ProductView(msgspec.Struct, frozen=True):
    """A product as shoppers see it."""

    id: int
    slug: str
    category: str
    name_bn: str
    name_en: str
    description_bn: str
    description_en: str
    price_poisha: int
    image: str
    stock: StockState
    created_at: datetime

    def name(self, language: Language) -> str:
        """Its name in a language."""
        return self.name_bn if language == "bn" else self.name_en

    def description(self, language: Language) -> str:
        """What is said about it in a language."""
        return self.description_bn if language == "bn" else self.description_en


class Snapshot:
    """The active products, by slug and by id, their shelves in order, and the index to search them."""

    def __init__(
        self, version: int, categories: Sequence[CategoryView], products: Sequence[ProductView]
    ) -> None:
        self.version = version
        self.categories: Mapping[str, CategoryView] = MappingProxyType(
            {category.slug: category for category in categories}
        )
        self.products: Mapping[str, ProductView] = MappingProxyType(
            {product.slug: product for product in products}
        )
        self.by_id: Mapping[int, ProductView] = MappingProxyType(
            {product.id: product for product in products}
        )
        self._index = Index((product.id, self._texts(product)) for product in products)

    def search(self, query: str) -> list[ProductView]:
        """Products that `query` finds, the best first; among equals what can be bought, then the newest."""
        scores = self._index.search(query)
        found = [self.by_id[id_] for id_ in scores]
        return sorted(
            found,
            key=lambda each: (
                -scores[each.id],
                each.stock == "sold_out",
                -each.created_at.timestamp(),
                each.id,
            ),
        )

    def _texts(self, product: ProductView) -> list[tuple[str, int]]:
        category = self.categories[product.category]
        return [
            (product.name_bn, NAME),
            (product.name_en, NAME),
            (category.name_bn, SHELF),
            (category.name_en, SHELF),
            (product.description_bn, DESCRIPTION),
            (product.description_en, DESCRIPTION),
        ]


async def version_in(session: AsyncSession) -> int:
    """The version in force in the database."""
    version: int = (await session.execute(select(_VERSION.c.version))).scalar_one()
    return version


async def load(session: AsyncSession) -> Snapshot:
    """The catalogue of the database.

    The version is read first: a change that commits meanwhile is at worst seen, and then loaded once more.
    """
    version = await version_in(session)
    shelves = await session.execute(select(_CATEGORY).order_by(_CATEGORY.c.position, _CATEGORY.c.id))
    slugs = {row.id: (row.slug, row.name_bn, row.name_en) for row in shelves}
    rows = await session.execute(
        select(_PRODUCT, _STOCK.c.available)
        .outerjoin(_STOCK, _STOCK.c.product_id == _PRODUCT.c.id)
        .where(_PRODUCT.c.active)
        .order_by(_PRODUCT.c.id)
    )
    products = [
        ProductView(
            id=row.id,
            slug=row.slug,
            category=slugs[row.category_id][0],
            name_bn=row.name_bn,
            name_en=row.name_en,
            description_bn=row.description_bn,
            description_en=row.description_en,
            price_poisha=row.price_poisha,
            image=row.image,
            stock=stock_state(row.available or 0),
            created_at=row.created_at,
        )
        for row in rows
        if row.category_id in slugs  # a shelf made after the shelves were read: the next version has it
    ]
    counts = Counter(product.category for product in products)
    return Snapshot(
        version, [CategoryView(*names, products=counts[names[0]]) for names in slugs.values()], products
    )
