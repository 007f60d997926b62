"""Search finds what people mean, in both languages, however they type it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.catalogue.search import Index, words
from tests.catalogue.helpers import product, snapshot

SHOP = snapshot(
    product(1, bn="ঢাকাই জামদানি শাড়ি, লাল", en="Dhakai jamdani saree, red"),
    product(2, bn="মসুর ডাল, ৫ কেজি", en="Red lentils, 5 kg"),
    product(3, bn="গামছা", en="Gamcha", about="A thin towel, often red"),
    product(4, bn="জায়নামাজ", en="Prayer mat"),
    product(5, bn="চা পাতা", en="Black tea", category="tea", stock="sold_out"),
    product(6, bn="সবুজ চা", en="Green tea", category="tea"),
)


def found(query: str) -> list[int]:
    return [each.id for each in SHOP.search(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("জামদানি", [1]),
        ("জাম", [1]),
        ("JAMDANI", [1]),
        ("saree dhak", [1]),
        ("৫ কেজি", [2]),
        ("5 কেজি", [2]),
        ("৫ kg", [2]),
        ("gam cha", []),
        ("নামাজ", []),
        ("amdani", []),
        ("", []),
        ("?!", []),
        ("<script>", []),
        ("' OR 1=1 --", []),
    ],
)
def test_each_word_is_the_beginning_of_one_in_either_language(query: str, expected: list[int]) -> None:
    assert found(query) == expected


def test_letters_typed_in_one_or_two_code_points_are_the_same() -> None:
    one, two = "জা\u09dfনামাজ", "জা\u09af\u09bcনামাজ"
    assert one != two
    assert found(one) == found(two) == [4]


def test_invisible_joiners_do_not_matter() -> None:
    assert found("জাম\u200dদা\u200cনি") == [1]


def test_a_name_counts_more_than_a_description_and_the_newer_more_than_the_older() -> None:
    assert found("red") == [2, 1, 3]


def test_a_whole_word_counts_more_than_a_beginning() -> None:
    shop = snapshot(product(1, en="Tea"), product(2, en="Teapot"))
    assert [each.id for each in shop.search("tea")] == [1, 2]


def test_of_equals_what_can_be_bought_comes_first() -> None:
    assert found("চা") == [6, 5]


def test_the_shelf_is_found_too() -> None:
    assert set(found("tea")) == {5, 6}


def test_a_hundred_words_cost_no_more_than_eight() -> None:
    assert found("jamdani " * 8 + "nothing") == [1]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_normal_after_one_pass(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once
    assert all(unicodedata.is_normalized("NFKC", word) for word in once)


@given(st.lists(st.sampled_from(["চা", "tea", "red", "লাল", "5", "saree"]), min_size=1, max_size=4))
def test_a_document_of_the_words_is_always_found(asked: list[str]) -> None:
    index = Index([(7, [(" ".join(asked), 1)])])
    assert set(index.search(" ".join(asked))) == {7}
