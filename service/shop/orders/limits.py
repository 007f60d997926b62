"""How much one order may hold."""

MAX_LINES = 20
MAX_QUANTITY = 10
"""Pieces of one product: a shop for people, not for resellers."""
