"""Search in memory: words of both languages, found by how they begin, the best first."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from shop.money import latin_digits

MOST_WORDS = 8
"""Words of a query that count; the others are ignored."""
JOINERS = dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))  # invisible; keyboards differ in typing them
WHOLE_WORD = 2
"""How much more a whole word counts than the beginning of one."""


@lru_cache(maxsize=16_384)  # a reload meets the texts of the load before
def words(text: str) -> tuple[str, ...]:
    """The words of `text` in the one way to write them: composed, small letters, Latin digits."""
    folded = latin_digits(unicodedata.normalize("NFKC", text).casefold().translate(JOINERS))
    folded = unicodedata.normalize("NFKC", folded)
    # Letters, marks (Bangla vowels are marks) and numbers; all else stands between words.
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in folded)
    return tuple("".join(kept).split())


class Index:
    """Which documents hold a word. Documents are numbers, each with texts that weigh differently."""

    def __init__(self, documents: Iterable[tuple[int, Iterable[tuple[str, int]]]]) -> None:
        found: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for document, texts in documents:
            for text, weight in texts:
                for word in words(text):
                    weights = found[word]
                    weights[document] = max(weight, weights.get(document, 0))
        self._found = dict(found)
        self._words = sorted(found)

    def search(self, query: str) -> dict[int, int]:
        """Documents that hold, for every word of `query`, one that begins so; each with its score."""
        asked = words(query)[:MOST_WORDS]
        if not asked:
            return {}
        scores = self._beginning(asked[0])
        for word in asked[1:]:
            more = self._beginning(word)
            scores = {document: scores[document] + more[document] for document in scores.keys() & more.keys()}
        return scores

    def _beginning(self, prefix: str) -> dict[int, int]:
        scores: dict[int, int] = {}
        for position in range(bisect_left(self._words, prefix), len(self._words)):
            word = self._words[position]
            if not word.startswith(prefix):
                break
            factor = WHOLE_WORD if word == prefix else 1
            for document, weight in self._found[word].items():
                scores[document] = max(weight * factor, scores.get(document, 0))
        return scores
