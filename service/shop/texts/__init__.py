"""What shoppers are told, by the code of a problem, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from shop.money import Language

OTHERWISE = "internal"
"""The message for a code that has none."""


@cache
def messages() -> Mapping[str, Mapping[Language, str]]:
    """All messages: by code, then by language."""
    raw = (files(__package__) / "messages.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, dict[Language, str]])


def message(code: str, language: Language) -> str:
    """The message of a code in a language; of a code that has none, that something went wrong."""
    return messages().get(code, messages()[OTHERWISE])[language]
