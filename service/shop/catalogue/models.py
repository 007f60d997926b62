"""Tables of what is sold. Names stand in both languages; prices are poisha."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Category(SQLModel, table=True):
    """A shelf of the shop."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name_bn: str = Field(max_length=100)
    name_en: str = Field(max_length=100)
    position: int = 0


class Product(SQLModel, table=True):
    """Something to buy. `image` is a file name below the storefront's `images/`."""

    __table_args__ = (CheckConstraint("price_poisha > 0", name="price_is_positive"),)

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=100)
    category_id: int = Field(foreign_key="category.id", index=True)
    name_bn: str = Field(max_length=200)
    name_en: str = Field(max_length=200)
    description_bn: str = Field(default="", max_length=4000)
    description_en: str = Field(default="", max_length=4000)
    price_poisha: int
    image: str = Field(default="", max_length=200)
    active: bool = True
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class CatalogueVersion(SQLModel, table=True):
    """One row: raised in the transaction of everything that changes what the catalogue shows."""

    __tablename__ = "catalogue_version"

    id: int = Field(default=1, primary_key=True)
    version: int = 1
