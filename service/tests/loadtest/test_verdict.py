"""The verdict names each way in which an order can go wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.verdict import Answer, Database, judge, look, percentile, read, summary, write
from shop.orders.verdict import Books, Finding
from shop.settings import Settings

ANSWERS = [Answer("a", 201, "N1", 0.01), Answer("a", 201, "N1", 0.02), Answer("b", 409, "", 0.01)]
CLEAN = Database(Books(orders=1, keys_with_order=1, sold=2, left=8, received=10), [], frozenset({"N1"}))


def test_a_run_without_a_fault_is_clean() -> None:
    assert judge(ANSWERS, CLEAN) == []


def test_an_order_whose_answer_was_lost_is_no_fault() -> None:
    two = replace(
        CLEAN, books=CLEAN.books._replace(orders=2, keys_with_order=2), numbers=frozenset({"N1", "N2"})
    )
    assert judge([*ANSWERS, Answer("c", 0, "", 30)], two) == []
    assert judge(ANSWERS, two) != []


@pytest.mark.parametrize(
    ("books", "sentence"),
    [
        ({"sold": 3}, "3 sold and 8 left are not the 10"),
        ({"keys_with_order": 2}, "1 orders, but 2 keys"),
        ({"orders": 2, "keys_with_order": 2}, "2 orders, but 1 acknowledged and 0 unanswered"),
        ({"orders": 0, "keys_with_order": 0}, "0 orders, but 1 acknowledged"),
    ],
)
def test_books_that_do_not_add_up_are_named(books: dict[str, int], sentence: str) -> None:
    wrong = judge(ANSWERS, replace(CLEAN, books=CLEAN.books._replace(**books)))
    assert len(wrong) == 1
    assert sentence in wrong[0]


def test_what_the_shop_itself_finds_is_said() -> None:
    wrong = judge(ANSWERS, replace(CLEAN, findings=[Finding("stock", "rule", "7", "-1", "0")]))
    assert wrong == ["stock: 7: -1, not 0"]


def test_an_acknowledged_order_that_is_not_there_is_named() -> None:
    assert "1 acknowledged orders are not in" in judge(ANSWERS, replace(CLEAN, numbers=frozenset()))[0]


def test_a_key_with_two_numbers_is_named() -> None:
    two = replace(
        CLEAN, books=CLEAN.books._replace(orders=2, keys_with_order=2), numbers=frozenset({"N1", "N2"})
    )
    assert judge([*ANSWERS, Answer("a", 201, "N2", 0.01)], two) == ["1 keys were told two order numbers"]


def test_two_keys_with_one_number_are_named() -> None:
    assert judge([*ANSWERS, Answer("z", 201, "N1", 0.01)], CLEAN) == ["2 keys were told only 1 numbers"]


def test_shed_load_is_no_fault_and_any_other_5xx_is() -> None:
    assert judge([*ANSWERS, Answer("c", 503, "", 0.01, shed=True)], CLEAN) == []
    assert judge([*ANSWERS, Answer("c", 503, "", 0.01)], CLEAN) == ["1 answers of 5xx that are not shed load"]
    assert judge([*ANSWERS, Answer("c", 500, "", 0.01)], CLEAN, 2) == [
        "3 answers of 5xx that are not shed load"
    ]


def test_slow_orders_are_named() -> None:
    assert judge([Answer("a", 201, "N1", 0.7)], CLEAN) == ["p99 of orders is 700 ms, above 500"]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile([], 0.99) == 0.0


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []
    write(tmp_path / "answers", ANSWERS[:1])
    write(tmp_path / "answers", ANSWERS[1:])
    assert read(tmp_path / "answers") == ANSWERS


def test_the_summary_counts_what_was_answered() -> None:
    assert "3 requests to order: 2 × 201, 1 × 409" in summary(ANSWERS, CLEAN)


async def test_an_empty_shop_is_clean(settings: Settings) -> None:
    assert judge([], await look(settings)) == []
