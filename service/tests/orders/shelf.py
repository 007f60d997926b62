"""What the tests of orders share: goods, requests, a writer's ear."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shop.catalogue.models import Category, Product
from shop.database.engine import Sessions
from shop.orders.allocate import PlaceOrder
from shop.orders.delivery import fee_poisha
from shop.stock.models import Stock
from shop.stock.service import receive

PHONE = "01712345678"


@dataclass
class Ear:
    """Counts what a writer says."""

    outcomes: Counter[str] = field(default_factory=Counter)
    batches: list[int] = field(default_factory=list)

    def order(self, outcome: str) -> None:
        """Count one."""
        self.outcomes[outcome] += 1

    def batch(self, size: int, seconds: float) -> None:
        """Keep its size."""
        self.batches.append(size)


async def fill(sessions: Sessions, **pieces: int) -> dict[str, int]:
    """Products by slug, each with so many pieces, at 100, 200, 300 … taka. Gives their ids."""
    ids = {}
    async with sessions.begin() as session:
        category = Category(slug="sarees", name_bn="শাড়ি", name_en="Sarees")
        session.add(category)
        await session.flush()
        assert category.id
        for number, (slug, quantity) in enumerate(pieces.items(), 1):
            product = Product(
                slug=slug,
                category_id=category.id,
                name_bn="শাড়ি",
                name_en="Saree",
                price_poisha=number * 100_00,
            )
            session.add(product)
            await session.flush()
            assert product.id
            ids[slug] = product.id
            session.add(Stock(product_id=product.id, available=0))
            await session.flush()
            if quantity:
                await receive(session, product.id, quantity, "receipt", "test")
    return ids


def wish(key: str | None = None, payment: str = "cod", *, saree: int = 1) -> PlaceOrder:
    """A request for so many sarees."""
    return wish_for({"saree": saree}, key, payment)


def wish_for(lines: Mapping[str, int], key: str | None = None, payment: str = "cod") -> PlaceOrder:
    """A request for so many pieces of each product, by slug."""
    wanted = tuple(lines.items())
    key = key or uuid.uuid4().hex
    changes: dict[str, Any] = {"lines": wanted, "payment": payment}
    return PlaceOrder(
        key=key,
        fingerprint=hashlib.sha256(repr(changes).encode()).digest(),
        language="en",
        name="ক্রেতা",
        phone=PHONE,
        district="dhaka",
        address="১২ পরীক্ষা সড়ক, ঢাকা",
        delivery_poisha=fee_poisha("dhaka"),
        **changes,
    )
