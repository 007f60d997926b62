"""WCAG AA, computed from the palette itself."""

from __future__ import annotations

import re

import pytest

from web.build import WEB

TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (WEB / "src/styles/tokens.css").read_text("utf-8")))
GROUNDS = ("paper", "surface", "sunk")
TEXT = 4.5
LARGE_OR_SHAPE = 3.0

TEXTS = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "river", "river-deep", "alta") for ground in GROUNDS],
    *[("ink", ground) for ground in ("alta-soft", "leaf-soft", "turmeric-soft")],
    *[("river", ground) for ground in ("alta-soft", "leaf-soft", "turmeric-soft")],
    ("alta", "alta-soft"),
    ("leaf", "leaf-soft"),
    ("turmeric-ink", "turmeric-soft"),
    ("on-dark", "river"),
    ("on-dark", "river-deep"),
    ("on-dark-soft", "river-deep"),
    ("river-deep", "turmeric"),
]
SHAPES = [
    *[(shape, ground) for shape in ("edge", "alta", "river") for ground in ("paper", "surface")],
    ("turmeric", "river-deep"),
    ("leaf", "surface"),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of `#rrggbb`."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_the_standard_s() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_text_can_be_read(ink: str, ground: str) -> None:
    assert contrast(TOKENS[ink], TOKENS[ground]) >= TEXT


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_borders_and_marks_can_be_seen(shape: str, ground: str) -> None:
    assert contrast(TOKENS[shape], TOKENS[ground]) >= LARGE_OR_SHAPE


def test_colours_come_from_the_palette_alone() -> None:
    for style in (
        "src/styles/base.css",
        "src/styles/parts.css",
        "src/styles/shop.css",
        "admin/styles/admin.css",
    ):
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;, ])|rgba?\(", (WEB / style).read_text())
