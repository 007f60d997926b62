"""Money is whole poisha and is written as people in Bangladesh write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.money import MOST, digits, latin_digits, taka


@pytest.mark.parametrize(
    ("poisha", "en", "bn"),
    [
        (0, "৳0", "৳০"),
        (1, "৳0.01", "৳০.০১"),
        (50, "৳0.50", "৳০.৫০"),
        (100, "৳1", "৳১"),
        (99_900, "৳999", "৳৯৯৯"),
        (100_000, "৳1,000", "৳১,০০০"),
        (1_234_550, "৳12,345.50", "৳১২,৩৪৫.৫০"),
        (12_345_600, "৳1,23,456", "৳১,২৩,৪৫৬"),
        (1_000_000_000, "৳1,00,00,000", "৳১,০০,০০,০০০"),
        (-8_900_00, "-৳8,900", "-৳৮,৯০০"),
        (MOST, "৳1,00,00,00,000", "৳১,০০,০০,০০,০০০"),
    ],
)
def test_amounts_are_grouped_in_thousand_lakh_and_crore(poisha: int, en: str, bn: str) -> None:
    assert taka(poisha) == taka(poisha, "en") == en
    assert taka(poisha, "bn") == bn


@given(st.integers(-MOST, MOST))
def test_what_is_written_is_what_is_meant(poisha: int) -> None:
    text = latin_digits(taka(poisha, "bn"))
    assert text == taka(poisha, "en")
    whole, _, rest = text.replace("৳", "").replace(",", "").replace("-", "").partition(".")
    assert (int(whole) * 100 + int(rest or 0)) * (-1 if poisha < 0 else 1) == poisha


@given(st.text())
def test_digits_change_and_nothing_else(text: str) -> None:
    assert digits(text, "en") == text
    assert latin_digits(digits(text, "bn")) == latin_digits(text)
    assert len(digits(text, "bn")) == len(text)
