"""Every product has its picture: a small file, the same shape for all, that says what it shows."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from shop.catalogue.seeding import items

IMAGES = Path(__file__).parents[2] / "web" / "images"
FILES = sorted(IMAGES.glob("*.svg"))
LARGEST = 3 * 1024


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", IMAGES / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_product_has_a_picture_and_each_picture_a_product() -> None:
    assert {path.name for path in FILES} == {item.image for item in items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_is_small_four_by_three_and_has_a_title(path: Path) -> None:
    assert path.stat().st_size <= LARGEST
    root = ET.parse(path).getroot()  # our own file
    assert root.get("viewBox") == "0 0 400 300"
    assert root.get("role") == "img"
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "path", "ellipse", "g"}, "no script, nothing loaded from elsewhere"


def test_the_script_draws_exactly_what_is_there() -> None:
    drawn = script()
    for name, (drawing, colour) in drawn.wanted().items():
        assert (IMAGES / name).read_text(encoding="utf-8") == drawn.draw(drawing, colour), name
    assert {drawing for drawing, _ in drawn.wanted().values()} == set(drawn.DRAWINGS), (
        "nothing drawn for nobody"
    )
