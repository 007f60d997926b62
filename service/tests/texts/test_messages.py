"""Shoppers are told what is wrong in their language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shop.money import LANGUAGES, Language
from shop.texts import message, messages

CODE = re.compile(r"""(?:Problem\(\s*[\w.]+,|unavailable\()\s*"(\w+)\"""")


def test_every_message_stands_in_both_languages_and_their_scripts() -> None:
    for code, texts in messages().items():
        assert set(texts) == set(LANGUAGES), code
        assert any("\u0980" <= char <= "\u09ff" for char in texts["bn"]), code
        assert texts["en"].isascii(), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_without_a_message_says_that_something_went_wrong(language: Language) -> None:
    assert message("no_such_code", language) == message("internal", language)
    assert message("sold_out", language) != message("internal", language)


def test_every_problem_of_the_shop_has_a_message() -> None:
    raised = {
        code
        for path in (Path(__file__).parents[2] / "shop").rglob("*.py")
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert {"unknown_product", "catalogue_unavailable"} <= raised, "the pattern finds them"
    assert raised - messages().keys() == set(), "say these in shop/texts/messages.json"
