"""Fills a shop with goods: a few hundred products of a Bangladeshi shop, the same every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import chain, zip_longest
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.catalogue.version import bump
from shop.database.tables import metadata
from shop.money import POISHA_PER_TAKA

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
ACTOR = "seed"

_PRODUCT = metadata.tables["product"]
_CATEGORY = metadata.tables["category"]
_STOCK = metadata.tables["stock"]
_MOVEMENT = metadata.tables["stock_movement"]
_VERSION = metadata.tables["catalogue_version"]


class Name(msgspec.Struct, frozen=True):
    """A name in both languages."""

    bn: str
    en: str


class Size(msgspec.Struct, frozen=True):
    """A size of a kind, with its price in taka."""

    slug: str
    bn: str
    en: str
    taka: int


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Products that differ in their colour only, or in their size and price only, or a single one."""

    slug: str
    bn: str
    en: str
    about_bn: str
    about_en: str
    image: str
    """The drawing; with a colour it is the file `IMAGE-COLOUR.svg`."""
    palette: str = ""
    taka: int = 0
    colours: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()


class Shelf(msgspec.Struct, frozen=True):
    """A category and what stands there."""

    slug: str
    bn: str
    en: str
    kinds: tuple[Kind, ...]


class Assortment(msgspec.Struct, frozen=True):
    """The file `seed.json`."""

    colours: dict[str, Name]
    categories: tuple[Shelf, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A product to be: all that its row needs, and how many pieces come in."""

    slug: str
    category: str
    name_bn: str
    name_en: str
    about_bn: str
    about_en: str
    price_poisha: int
    image: str
    pieces: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run added."""

    categories: int
    products: int
    pieces: int


@cache
def assortment() -> Assortment:
    """What the file says."""
    return msgspec.json.decode((files(__package__) / "seed.json").read_bytes(), type=Assortment)


def items(stock: int | None = None) -> list[Item]:
    """All products, the oldest first, shelves taking turns; `stock` pieces of each, else a shop's mixture."""
    turns = zip_longest(*(list(_products(shelf)) for shelf in assortment().categories))
    made = [each for each in chain.from_iterable(turns) if each is not None]
    return [
        Item(
            **each,
            pieces=_pieces(place) if stock is None else stock,
            created_at=FIRST_DAY + timedelta(hours=7 * place),
        )
        for place, each in enumerate(made)
    ]


async def seed(session: AsyncSession, wanted: Sequence[Item]) -> Seeded:
    """Add in the session's transaction the products that are missing; what is there stays as it is."""
    await session.execute(select(_VERSION.c.version).with_for_update())  # two at once take turns
    shelves = await _add_categories(session)
    there = set((await session.execute(select(_PRODUCT.c.slug))).scalars())
    missing = [item for item in wanted if item.slug not in there]
    if missing:
        ids = await _ids(session, {shelf.slug for shelf in assortment().categories})
        await session.execute(insert(_PRODUCT), [_row(item, ids[item.category]) for item in missing])
        await _add_stock(session, missing)
    if shelves or missing:
        await bump(session)
    return Seeded(shelves, len(missing), sum(item.pieces for item in missing))


def _products(shelf: Shelf) -> Iterator[dict[str, Any]]:
    for kind in shelf.kinds:
        for slug, bn, en, taka, palette in _variants(kind):
            yield {
                "slug": f"{kind.slug}{slug}",
                "category": shelf.slug,
                "name_bn": kind.bn + bn,
                "name_en": kind.en + en,
                "about_bn": kind.about_bn,
                "about_en": kind.about_en,
                "price_poisha": taka * POISHA_PER_TAKA,
                "image": f"{kind.image}-{palette}.svg",
            }


def _variants(kind: Kind) -> Iterator[tuple[str, str, str, int, str]]:
    if not kind.colours and not kind.sizes:
        yield "", "", "", kind.taka, kind.palette
    for colour in kind.colours:
        name = assortment().colours[colour]
        yield f"-{colour}", f", {name.bn}", f", {name.en}", kind.taka, colour
    for size in kind.sizes:
        yield f"-{size.slug}", f", {size.bn}", f", {size.en}", size.taka, kind.palette


def _pieces(place: int) -> int:
    """Every 24th is sold out, every 12th nearly; of the others there are 20 to 219."""
    if place % 24 == 17:
        return 0
    if place % 12 == 7:
        return 1 + place % 5
    return 20 + place * 37 % 200


def _row(item: Item, category_id: int) -> dict[str, Any]:
    return {
        "slug": item.slug,
        "category_id": category_id,
        "name_bn": item.name_bn,
        "name_en": item.name_en,
        "description_bn": item.about_bn,
        "description_en": item.about_en,
        "price_poisha": item.price_poisha,
        "image": item.image,
        "active": True,
        "created_at": item.created_at,
        "updated_at": item.created_at,
    }


async def _add_categories(session: AsyncSession) -> int:
    there = set((await session.execute(select(_CATEGORY.c.slug))).scalars())
    rows = [
        {"slug": shelf.slug, "name_bn": shelf.bn, "name_en": shelf.en, "position": position}
        for position, shelf in enumerate(assortment().categories)
        if shelf.slug not in there
    ]
    if rows:
        await session.execute(insert(_CATEGORY), rows)
    return len(rows)


async def _add_stock(session: AsyncSession, added: Sequence[Item]) -> None:
    rows = await session.execute(select(_PRODUCT.c.slug, _PRODUCT.c.id))
    ids = {row.slug: row.id for row in rows}
    await session.execute(
        insert(_STOCK), [{"product_id": ids[item.slug], "available": item.pieces} for item in added]
    )
    received = [
        {
            "product_id": ids[item.slug],
            "quantity": item.pieces,
            "reason": "receipt",
            "actor": ACTOR,
            "created_at": item.created_at,
        }
        for item in added
        if item.pieces
    ]
    if received:
        await session.execute(insert(_MOVEMENT), received)


async def _ids(session: AsyncSession, slugs: set[str]) -> dict[str, int]:
    rows = await session.execute(select(_CATEGORY.c.slug, _CATEGORY.c.id).where(_CATEGORY.c.slug.in_(slugs)))
    return {row.slug: row.id for row in rows}
