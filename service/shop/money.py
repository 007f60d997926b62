"""Money is a whole number of poisha (1 taka = 100 poisha), so that no sum is ever rounded."""

from __future__ import annotations

from typing import Literal

Language = Literal["bn", "en"]
LANGUAGES: tuple[Language, ...] = ("bn", "en")

POISHA_PER_TAKA = 100
MOST = 1_000_000_000_00
"""The largest amount that the shop deals with, in poisha: a hundred crore taka."""

_BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
_LATIN_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def digits(text: str, language: Language) -> str:
    """`text` with its digits in the language's script."""
    return text.translate(_BANGLA_DIGITS) if language == "bn" else text


def latin_digits(text: str) -> str:
    """`text` with Bangla digits made Latin ones, for what people type."""
    return text.translate(_LATIN_DIGITS)


def taka(poisha: int, language: Language = "en") -> str:
    """An amount as people write it in Bangladesh: `৳1,23,456` or `৳1,23,456.50`, or in Bangla digits."""
    sign = "-" if poisha < 0 else ""
    whole, rest = divmod(abs(poisha), POISHA_PER_TAKA)
    text = f"{sign}৳{_grouped(whole)}" + (f".{rest:02d}" if rest else "")
    return digits(text, language)


def _grouped(whole: int) -> str:
    """Thousands once, then lakh and crore: groups of two."""
    text = str(whole)
    head, tail = text[:-3], text[-3:]
    groups: list[str] = []
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    return ",".join([*groups, tail])
