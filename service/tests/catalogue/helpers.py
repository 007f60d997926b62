"""What the catalogue's tests share: a small shop, and patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shop.catalogue.snapshot import CategoryView, ProductView, Snapshot, StockState

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def product(
    number: int,
    *,
    bn: str = "শাড়ি",
    en: str = "Saree",
    category: str = "sarees",
    taka: int = 100,
    stock: StockState = "in_stock",
    about: str = "",
) -> ProductView:
    """A product; a higher number is a newer one."""
    return ProductView(
        id=number,
        slug=f"product-{number}",
        category=category,
        name_bn=bn,
        name_en=en,
        description_bn="",
        description_en=about,
        price_poisha=taka * 100,
        image=f"picture-{number}.svg",
        stock=stock,
        created_at=DAY + timedelta(days=number),
    )


def snapshot(*products: ProductView) -> Snapshot:
    """A shop with two shelves."""
    shelves = [("sarees", "শাড়ি", "Sarees"), ("tea", "চা", "Tea")]
    counts = {slug: sum(each.category == slug for each in products) for slug, _, _ in shelves}
    return Snapshot(1, [CategoryView(*shelf, counts[shelf[0]]) for shelf in shelves], products)


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until `condition` holds; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.01)
