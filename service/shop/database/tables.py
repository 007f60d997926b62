"""All tables, for migrations and tests: `metadata` knows each once its module is imported."""

from sqlmodel import SQLModel

from shop.accounts.models import Staff
from shop.catalogue.models import CatalogueVersion, Category, Product
from shop.orders.models import IdempotencyKey, Order, OrderEvent, OrderLine
from shop.payments.models import Payment
from shop.stock.models import Stock, StockMovement

__all__ = [
    "CatalogueVersion",
    "Category",
    "IdempotencyKey",
    "Order",
    "OrderEvent",
    "OrderLine",
    "Payment",
    "Product",
    "Staff",
    "Stock",
    "StockMovement",
    "metadata",
]

metadata = SQLModel.metadata
