"""Whether the books are right: nothing sold twice, nothing lost, everything adds up."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from shop.database.engine import Sessions

CHECKS = {
    "stock": (
        "available = movements - lines of orders that hold stock",
        """
        SELECT s.product_id AS subject, s.available AS is_, m.moved - o.held AS should
        FROM stock s
        JOIN (SELECT s.product_id, COALESCE(SUM(m.quantity), 0) AS moved
              FROM stock s LEFT JOIN stock_movement m USING (product_id) GROUP BY s.product_id) m
          ON m.product_id = s.product_id
        JOIN (SELECT s.product_id, COALESCE(SUM(l.quantity), 0) AS held
              FROM stock s
              LEFT JOIN (SELECT l.product_id, l.quantity FROM order_line l
                         JOIN orders o ON o.number = l.order_number AND NOT o.stock_released) l
                ON l.product_id = s.product_id
              GROUP BY s.product_id) o
          ON o.product_id = s.product_id
        WHERE s.available <> m.moved - o.held OR s.available < 0
        """,
    ),
    "totals": (
        "the subtotal is the sum of the lines",
        """
        SELECT o.number AS subject, o.subtotal_poisha AS is_, COALESCE(l.total, 0) AS should
        FROM orders o
        LEFT JOIN (SELECT order_number, SUM(quantity * unit_price_poisha) AS total
                   FROM order_line GROUP BY order_number) l ON l.order_number = o.number
        WHERE o.subtotal_poisha <> COALESCE(l.total, 0)
        """,
    ),
    "released": (
        "an order holds its stock unless it was cancelled",
        """
        SELECT number AS subject, status AS is_, 'cancelled or refunded' AS should
        FROM orders WHERE stock_released AND status NOT IN ('cancelled', 'refunded')
        """,
    ),
    "paid twice": (
        "an order is paid once",
        """
        SELECT order_number AS subject, COUNT(*) AS is_, 1 AS should
        FROM payment WHERE status = 'paid' GROUP BY order_number HAVING COUNT(*) > 1
        """,
    ),
    "answers": (
        "each key has its answer",
        """
        SELECT key AS subject, 'no answer' AS is_, 'an answer' AS should
        FROM idempotency_key WHERE status IS NULL
        """,
    ),
}
"""Name → what must hold, and the query of what does not. The same on PostgreSQL and SQLite."""


class Finding(NamedTuple):
    """Something that is not as it must be."""

    check: str
    rule: str
    subject: str
    found: str
    expected: str


class Books(NamedTuple):
    """Counts for a comparison with what clients were told."""

    orders: int
    keys_with_order: int
    sold: int
    left: int
    received: int


async def verdict(sessions: Sessions) -> list[Finding]:
    """Everything that is wrong; an empty list is a clean verdict. Reads one state of the database."""
    findings = []
    async with sessions() as session:
        for name, (rule, query) in CHECKS.items():
            rows = await session.execute(text(query))
            findings += [Finding(name, rule, *map(str, row)) for row in rows]
    return findings


async def books(sessions: Sessions) -> Books:
    """How many orders there are, pieces sold, left and received."""
    queries = (
        "SELECT COUNT(*) FROM orders",
        "SELECT COUNT(*) FROM idempotency_key WHERE status = 201",
        """SELECT COALESCE(SUM(quantity), 0) FROM order_line
           JOIN orders ON number = order_number WHERE NOT stock_released""",
        "SELECT COALESCE(SUM(available), 0) FROM stock",
        "SELECT COALESCE(SUM(quantity), 0) FROM stock_movement",
    )
    async with sessions() as session:
        return Books(*[int((await session.execute(text(query))).scalar_one()) for query in queries])
