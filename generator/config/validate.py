"""A document → a model, or what is wrong with it: pydantic's errors at their places, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generator.config import codes
from generator.config.base import ContradictionError
from generator.config.document import Document, Path, scalar, similar
from generator.config.shape import (
    Spot,
    bare,
    choices,
    example,
    expected,
    fields,
    fits,
    flow,
    homes,
    locate,
    models,
    one_of,
)
from generator.problem import Problem, ProblemsError

M = TypeVar("M", bound=BaseModel)

_COMMENT = re.compile(r"\s*:\s+(#\S.*?)(?:\s+#.*)?")
_BOOLEANS = {**dict.fromkeys(("yes", "y", "on"), True), **dict.fromkeys(("no", "n", "off"), False)}
_LONGEST = 60


def validate_model(
    model: type[M],
    document: Document,
    defaults: Mapping[str, Any] | None = None,
    found: Sequence[Problem] = (),
) -> M:
    """The document's value, merged over `defaults`, as a `model`.

    ProblemsError carries every mistake at once, together with what was `found` in the file before.
    """
    try:
        result = model.model_validate(merged(defaults or {}, document.value))
    except ValidationError as error:
        raise ProblemsError([*found, *_problems(model, document, error)]) from None
    if found:
        raise ProblemsError(tuple(found))
    return result


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one; where both say something, `above` wins, key by key in nested mappings."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        nested = isinstance(under, Mapping) and isinstance(value, Mapping)
        result[key] = merged(under, value) if nested else value  # type: ignore[arg-type]  # both are mappings
    return result


def dotted(path: Path) -> str:
    """A path as people write it: shop.payments[2]."""
    return "".join(f"[{item}]" if isinstance(item, int) else f".{item}" for item in path).lstrip(".")


def _problems(model: type[BaseModel], document: Document, error: ValidationError) -> list[Problem]:
    errors = [(item, locate(model, item["loc"])) for item in error.errors(include_url=False)]
    misspelt = {_meant(spot) for item, spot in errors if item["type"] == "extra_forbidden"}
    return [
        _HANDLERS.get(item["type"], _wrong_type)(model, document, spot, item)
        for item, spot in errors
        if spot.path not in document.unread
        # What seems to be missing may be what could not be read, or what was misspelt: one mistake, not two.
        and not (item["type"] == "missing" and _inside(spot.path, document.unread | misspelt))
    ]


def _unknown_key(model: type[BaseModel], document: Document, spot: Spot, _item: Any) -> Problem:
    key = str(spot.path[-1])
    where = document.key_place(spot.path)
    meant = _meant(spot)[-1]
    elsewhere = [home for home in homes(model, key) if home != dotted(spot.path[:-1])]
    if meant:
        hint = f"did you mean `{meant}`?"
    elif elsewhere:
        places = (f"in `{home}`" if home else "at the top" for home in elsewhere)
        hint = f"`{key}` belongs {' or '.join(places)}"
    else:
        hint = f"known here: {', '.join(fields(spot.owner))}"
    around = f" in `{dotted(spot.path[:-1])}`" if len(spot.path) > 1 else ""
    return Problem(codes.UNKNOWN_KEY, f"unknown key `{key}`{around}", hint, where)


def _missing_key(_model: type[BaseModel], document: Document, spot: Spot, _item: Any) -> Problem:
    return _missing(document, spot.path, example(spot.annotation, spot.field), spot.field)


def _missing(document: Document, path: Path, value: Any, field: Any) -> Problem:
    above = path[:-1]
    while above not in document.values:
        above = above[:-1]
    for key in reversed(path[len(above) + 1 :]):
        value = {key: value}
    target = f"under `{_name(above)}`" if above else "at the top level"
    purpose = f" ({field.description})" if field is not None and field.description else ""
    hint = f"add {_line(str(path[len(above)]), value)} {target}{purpose}"
    return Problem(codes.MISSING_KEY, f"`{dotted(path)}` is missing", hint, document.key_place(above))


def _line(key: str, value: Any) -> str:
    """A line to write, cut down to its first keys where it would be long."""
    line = f"`{key}: {flow(value)}`" if key else f"`{flow(value)}`"
    if len(line) <= _LONGEST or not isinstance(value, dict):
        return _clip(line)
    return f"`{key}:` with {', '.join(value)}"


def _wrong_tag(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    """A union's `kind`: pydantic reports it at the union, the line to edit is the tag's own."""
    key = item["ctx"]["discriminator"].strip("'")
    path = (*spot.path, key)
    options = [
        option for model in models(spot.annotation) for option in choices(fields(model)[key].annotation)
    ]
    if item["type"] == "union_tag_not_found" and path not in document.values:
        return _missing(document, path, options[0], None)
    value = item["input"].get(key)
    return _refused_choice(document, path, value, options)


def _wrong_choice(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    return _refused_choice(document, spot.path, item["input"], choices(bare(spot.annotation)))


def _refused_choice(document: Document, path: Path, value: Any, options: Sequence[Any]) -> Problem:
    wanted, text = one_of(options), _text(document, path, value)
    same = next((option for option in options if str(option) == text), None)
    near = similar(value, [option for option in options if isinstance(option, str)])
    key = _key(path)
    if same is not None:
        quotes = "quote it" if isinstance(same, str) else "remove the quotes"
        hint = f"{quotes}: `{key}{flow(same)}`"
    else:
        hint = f"did you mean `{near}`?" if near else f"write `{key}{flow(options[0])}`"
    return _at_value(
        codes.WRONG_VALUE if same is None else codes.WRONG_TYPE, document, path, value, wanted, hint
    )


def _wrong_type(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    wanted = expected(spot.annotation, spot.field)
    value = item["input"]
    hint = _repair(document, spot, value) or _example_hint(spot)
    return _at_value(codes.WRONG_TYPE, document, spot.path, value, wanted, hint)


def _out_of_bounds(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    wanted = expected(spot.annotation, spot.field)
    message = f"`{_name(spot.path)}` is {_text(document, spot.path, item['input'])}, not {wanted}"
    return Problem(codes.WRONG_VALUE, message, _example_hint(spot), document.place(spot.path))


def _wrong_length(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    limits, value = item["ctx"], item["input"]
    low, high = limits.get("min_length"), limits.get("max_length")
    bound = f"at least {low}" if low is not None else f"at most {high}"
    unit = "character" if isinstance(value, str) else "item"
    plural = "" if len(value) == 1 else "s"
    message = f"`{_name(spot.path)}` has {len(value)} {unit}{plural}, not {bound}"
    return Problem(codes.WRONG_VALUE, message, _example_hint(spot), document.place(spot.path))


def _wrong_form(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    description = spot.field.description if spot.field else None
    wanted = f"of the form {item['ctx']['pattern']}"
    return _at_value(codes.WRONG_VALUE, document, spot.path, item["input"], wanted, description or "")


def _refused(_model: type[BaseModel], document: Document, spot: Spot, item: Any) -> Problem:
    """What a validator of the model says about a value, or about two that contradict each other."""
    error = item["ctx"]["error"]
    if isinstance(error, ContradictionError):
        # The keys that are written: one of them may be a default.
        paths = [path for key in error.keys if (path := (*spot.path, key)) in document.values]
        first, *others = [document.values[path] for path in paths] or [document.place(spot.path)]
        name = f"in `{dotted(spot.path)}`, " if spot.path else ""
        return Problem(codes.CONTRADICTION, f"{name}{error}", error.hint, first, also=tuple(others))
    reason, suggested, near = str(error).partition(": did you mean ")
    message = f"`{_name(spot.path)}` is {_clip(flow(item['input']))}: {reason}"
    hint = f"did you mean `{near.removesuffix('?')}`?" if suggested else _example_hint(spot)
    return Problem(codes.WRONG_VALUE, message, hint, document.place(spot.path))


_Handler = Callable[[type[BaseModel], Document, Spot, Any], Problem]
_HANDLERS: dict[str, _Handler] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "union_tag_invalid": _wrong_tag,
    "union_tag_not_found": _wrong_tag,
    "literal_error": _wrong_choice,
    "value_error": _refused,
    "string_pattern_mismatch": _wrong_form,
    **dict.fromkeys(("too_short", "too_long", "string_too_short", "string_too_long"), _wrong_length),
    **dict.fromkeys(("greater_than", "greater_than_equal", "less_than", "less_than_equal"), _out_of_bounds),
}


def _at_value(code: str, document: Document, path: Path, value: Any, wanted: str, hint: str) -> Problem:
    message = f"`{_name(path)}` is {_given(document, path, value)}, not {wanted}"
    where = document.place(path) if path in document.values else document.key_place(path)
    return Problem(code, message, _comment_trap(document, path, value) or hint, where)


def _repair(document: Document, spot: Spot, value: Any) -> str:
    """The edit that makes a value of the wrong type right, where it can be told."""
    want, key, text = bare(spot.annotation), _key(spot.path), _text(document, spot.path, value)
    if want is str and isinstance(value, bool | int | float) and fits(text, spot.annotation, spot.field):
        return f"quote it: `{key}{flow(text)}`"
    keys = [key for model in models(spot.annotation) for key in fields(model)]
    if isinstance(value, str) and value.split(maxsplit=1)[0:1] in [[key] for key in keys]:
        return "a colon is missing after the key"
    if want is bool and isinstance(value, str) and value.casefold() in _BOOLEANS:
        return f"write `{key}{flow(_BOOLEANS[value.casefold()])}`"
    if want in (bool, int, float) and isinstance(value, str) and isinstance(scalar(value), want):
        return f"remove the quotes: `{key}{value}`"
    if want is int and isinstance(value, float) and value.is_integer():
        return f"write `{key}{int(value)}`"
    return ""


def _comment_trap(document: Document, path: Path, value: Any) -> str:
    """`channel: #ops` is an empty value and a comment."""
    where = document.keys.get(path)
    if value is not None or where is None:
        return ""
    rest = document.lines[where.line - 1][where.column - 1 + where.length :]
    found = _COMMENT.fullmatch(rest.rstrip())
    return f"an unquoted # starts a comment: write `{path[-1]}: {flow(found[1])}`" if found else ""


def _example_hint(spot: Spot) -> str:
    """An example to copy, else what the value is for."""
    value = example(spot.annotation, spot.field)
    if value is None:
        return (spot.field.description if spot.field else None) or ""
    key = spot.path[-1] if spot.path else ""
    return f"for example {_line(key if isinstance(key, str) else '', value)}"


def _given(document: Document, path: Path, value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"text {_clip(json.dumps(value, ensure_ascii=False))}"
    return (
        _text(document, path, value)
        if isinstance(value, bool)
        else f"the number {_text(document, path, value)}"
    )


def _text(document: Document, path: Path, value: Any) -> str:
    """A scalar as it is written: `1.30` is not 1.3 to the person who wrote it."""
    if isinstance(value, str):
        return value
    return document.text(path) or flow(value)


def _key(path: Path) -> str:
    return f"{path[-1]}: " if path and isinstance(path[-1], str) else ""


def _name(path: Path) -> str:
    """The last key, with the item's number behind it: payments[2]."""
    start = max((index for index, item in enumerate(path) if isinstance(item, str)), default=0)
    return dotted(path[start:]) or "the file"


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _inside(path: Path, paths: frozenset[Path]) -> bool:
    """Whether `path` or one that it is inside of is among `paths`."""
    return any(path[:length] in paths for length in range(len(path) + 1))


def _meant(spot: Spot) -> Path:
    """The path that an unknown key was probably meant to be; it ends in empty text if none is near."""
    return (*spot.path[:-1], similar(spot.path[-1], fields(spot.owner)))
