"""Canonical YAML: the same bytes for the same value, and the same value for every reader.

Block style, two spaces, no anchors, no line folding. A string is written plain only if it matches a small
pattern that no YAML 1.1 or 1.2 reader takes for anything else; text of several lines becomes a literal block;
everything else is quoted as in JSON. Python's stock writers leave `y`, `1e3` or `0o7` bare, and kubectl's Go
parser then reads a boolean or a number: `tests/output/test_emit.py` holds this writer to that parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from math import isfinite
from types import NoneType
from typing import Any

ROOT_FIRST = ("apiVersion", "kind", "metadata", "spec")
METADATA_FIRST = ("name", "namespace", "labels", "annotations")

_PLAIN = re.compile(r"[A-Za-z/](?:[\w./@:-]*[\w/])?|[1-9][0-9]*(?:m|s|h|Ki|Mi|Gi|Ti)", re.ASCII)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"))
# Beyond what JSON escapes: characters that YAML forbids or takes for a line break, and those that a reviewer
# cannot see (no-break and zero-width spaces, marks that reverse the direction of text, tags). The joiners
# U+200C and U+200D stay: Bangla is written with them.
_HIDDEN = (
    "\x7f-\xa0\xad\u061c\u200b\u200e\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff"
)
_ESCAPED = re.compile(f"[{_HIDDEN}]")
_NOT_LITERAL = re.compile(f"[\x00-\x09\x0b-\x1f{_HIDDEN}]| (?:\n|\\Z)|\\A[ \n]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64 = 2**63
_LONGEST_KEY = 1000  # readers look 1,024 characters ahead for a key's colon


class UnwritableError(TypeError, ValueError):
    """A value that no YAML reader would give back. `path` leads to it from the root, `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str | int] = []

    @property
    def path(self) -> str:
        """Like `spec.containers[0].image`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(self.steps))
        return "".join(steps).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.steps else self.reason


def to_yaml(value: Mapping[str, Any]) -> str:
    """A mapping of dicts, lists, tuples, strings, numbers, booleans and None as one YAML document.

    The root begins with apiVersion, kind, metadata, spec, its metadata with name, namespace, labels,
    annotations; all other keys keep their order. Raises UnwritableError (a TypeError) for other types, keys
    that are no strings, NaN, infinities, integers beyond 64 bits and lone surrogates.
    """
    root = _ordered(value, ROOT_FIRST)
    metadata = root.get("metadata")
    if isinstance(metadata, Mapping):
        root["metadata"] = _ordered(metadata, METADATA_FIRST)
    return _mapping(root, "") + "\n" if root else "{}\n"


def _ordered(value: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    return {**{key: value[key] for key in first if key in value}, **value}


def _mapping(value: Mapping[str, Any], indent: str) -> str:
    """The entries, the first without indentation: it may stand behind a dash."""
    deeper = indent + "  "
    entries = []
    key = ""
    try:
        for key, item in value.items():
            name = _KEYS[key]
            if type(item) is str:  # most of them: spares two calls
                entries.append(f"{name}: {_SCALARS[item] or _literal(item, deeper)}")
            elif item and type(item) not in _ATOMS:
                entries.append(f"{name}:\n{deeper}{_node(item, deeper)}")
            else:
                entries.append(f"{name}: {_node(item, deeper)}")
    except UnwritableError as error:
        error.steps.append(key)
        raise
    return f"\n{indent}".join(entries)


def _sequence(value: Sequence[Any], indent: str) -> str:
    deeper = indent + "  "
    items: list[str] = []
    try:
        for item in value:
            items.append(f"- {_node(item, deeper)}")  # noqa: PERF401 - an error counts the items before it
    except UnwritableError as error:
        error.steps.append(len(items))
        raise
    return f"\n{indent}".join(items)


def _node(value: Any, indent: str) -> str:
    kind = type(value)
    if kind is str:
        return _SCALARS[value] or _literal(value, indent)
    if kind in _ATOMS:
        return _ATOMS[kind](value)
    if kind is dict or isinstance(value, Mapping):
        return _mapping(value, indent) if value else "{}"
    if kind is list or kind is tuple:
        return _sequence(value, indent) if value else "[]"
    raise UnwritableError(f"{kind.__name__} has no place in YAML; give a string or a number")


def _integer(value: int) -> str:
    if not -_INT64 <= value < _INT64:
        raise UnwritableError("an integer beyond 64 bits would be read as a rounded float; quote it")
    return str(value)


def _float(value: float) -> str:
    if not isfinite(value):
        raise UnwritableError(f"{value} is no number that Kubernetes can read")
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    # YAML 1.1 knows floats by their point: 1e+16 would be a string there.
    return f"{mantissa}.0e{power}" if exponent and "." not in mantissa else text


_ATOMS: dict[type, Callable[[Any], str]] = {
    int: _integer,
    float: _float,
    bool: lambda value: "true" if value else "false",
    NoneType: lambda _: "null",
}


def _literal(text: str, indent: str) -> str:
    """A `|` block. Lines that are empty stay so: no trailing spaces."""
    body = text.removesuffix("\n")
    chomping = "-" if body == text else "+" if body.endswith("\n") else ""
    lines = [indent + line if line else "" for line in body.split("\n")]
    return "\n".join([f"|{chomping}", *lines])


def _quoted(text: str) -> str:
    """JSON's quotes and escapes, which YAML shares, and escapes for what a reader would trip over."""
    return _ESCAPED.sub(_escape, encode_basestring(text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _scalar(text: str) -> str:
    """A string on one line, or "" for text that becomes a literal block."""
    if _SURROGATE.search(text):
        raise UnwritableError("half of a surrogate pair is no character")
    if "\n" in text and not _NOT_LITERAL.search(text):
        return ""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _key(text: Any) -> str:
    """A key, which has to stand on one line."""
    if type(text) is not str:
        raise UnwritableError(f"{text!r} is a key but no string; quote it")
    written = _SCALARS[text] or _quoted(text)
    if len(written) > _LONGEST_KEY:
        raise UnwritableError("YAML readers give up on keys of more than 1,000 characters")
    return written


class _Memo(dict[str, str]):
    """Strings and how they are written: most come again. Only short ones are kept, 50,000 at most."""

    def __init__(self, write: Callable[[str], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, text: str) -> str:
        written = self._write(text)
        if len(text) < 100 and len(self) < 50_000:
            self[text] = written
        return written


_SCALARS = _Memo(_scalar)
_KEYS = _Memo(_key)
