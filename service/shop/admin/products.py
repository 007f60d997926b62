"""Products and their stock, as staff see and change them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_

from shop.admin.schemas import ProductDraft, ProductPage, ProductRow
from shop.catalogue.models import Category, Product, now
from shop.catalogue.version import bump
from shop.problems import Problem
from shop.stock.models import Stock

PAGE_SIZE = 50


async def page(session: AsyncSession, q: str, number: int) -> ProductPage:
    """Products whose slug or name holds `q`, those off sale too, by slug."""
    rows = _rows()
    if q:
        fields = (Product.slug, Product.name_bn, Product.name_en)
        rows = rows.where(or_(*[col(field).icontains(q, autoescape=True) for field in fields]))
    total = (await session.execute(select(func.count()).select_from(rows.subquery()))).scalar_one()
    found = await session.execute(
        rows.order_by(col(Product.slug)).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    )
    return ProductPage([_row(*each) for each in found], total, number)


async def create(session: AsyncSession, draft: ProductDraft) -> ProductRow:
    """A new product, of which there is nothing yet. Problem 409 where its slug is taken."""
    return await _store(session, Product(**await _values(session, draft)), new=True)


async def replace(session: AsyncSession, number: int, draft: ProductDraft) -> ProductRow:
    """Another text, price or image; orders keep the price that they were placed at. Problem 404, 409."""
    product = await session.get(Product, number, with_for_update=True)
    if product is None:
        raise Problem(404, "unknown_product", "there is no such product")
    for field, value in (await _values(session, draft)).items():
        setattr(product, field, value)
    product.updated_at = now()
    return await _store(session, product, new=False)


async def _store(session: AsyncSession, product: Product, *, new: bool) -> ProductRow:
    session.add(product)
    try:
        await session.flush()
    except IntegrityError:
        raise Problem(409, "slug_taken", f"another product has the slug {product.slug}") from None
    if new:
        session.add(Stock(product_id=_number(product), available=0))
        await session.flush()
    await bump(session)
    found = await session.execute(_rows().where(col(Product.id) == product.id))
    return _row(*found.one())


async def _values(session: AsyncSession, draft: ProductDraft) -> dict[str, Any]:
    found = await session.execute(select(col(Category.id)).where(col(Category.slug) == draft.category))
    category = found.scalar_one_or_none()
    if category is None:
        errors = [{"field": "category", "message": "there is no such category"}]
        raise Problem(400, "invalid", "category: there is no such category", errors=errors)
    fields = (
        "slug",
        "name_bn",
        "name_en",
        "description_bn",
        "description_en",
        "price_poisha",
        "image",
        "active",
    )
    return {"category_id": category, **{field: getattr(draft, field) for field in fields}}


def _rows() -> Select[Product, str, int]:
    return (
        select(Product, col(Category.slug), col(Stock.available))
        .join(Category, col(Category.id) == col(Product.category_id))
        .join(Stock, col(Stock.product_id) == col(Product.id), isouter=True)
    )


def _row(product: Product, category: str, available: int | None) -> ProductRow:
    return ProductRow(
        id=_number(product),
        slug=product.slug,
        category=category,
        name_bn=product.name_bn,
        name_en=product.name_en,
        description_bn=product.description_bn,
        description_en=product.description_en,
        price_poisha=product.price_poisha,
        image=product.image,
        active=product.active,
        available=available or 0,
    )


def _number(product: Product) -> int:
    if product.id is None:
        raise ValueError("a product has a number once it is stored")
    return product.id
