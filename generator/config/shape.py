"""What a model allows at a path, read off its fields: the keys, the type in words, an example to copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from generator.config.document import Path, scalar

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an error is: the path in the file, and what the model says about it.

    `owner` is the model that the last key belongs to; `annotation` is None where the model knows no such key.
    """

    path: Path
    owner: type[BaseModel]
    annotation: Any = None
    field: FieldInfo | None = None


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the key that a file uses."""
    return {field.alias or to_camel(name): field for name, field in model.model_fields.items()}


def locate(model: type[BaseModel], location: tuple[str | int, ...]) -> Spot:
    """A pydantic error's location as a path in the file: the tags of unions are not written there."""
    spot = Spot((), model, model)
    for item in location:
        options, inside = models(spot.annotation), _item(spot.annotation)
        if len(options) > 1:
            spot = Spot(spot.path, spot.owner, _tagged(options, str(item)), spot.field)
        elif options:
            field = fields(options[0]).get(str(item))
            spot = Spot((*spot.path, item), options[0], field.annotation if field else None, field)
        elif inside is not None:
            spot = Spot((*spot.path, item), spot.owner, inside)
        else:
            break
    return spot


def models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models that a value of this type may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return tuple(model for part in get_args(annotation) for model in models(part))
    return ()


def required(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that have no default in the model, by key."""
    return {key: field for key, field in fields(model).items() if field.is_required()}


def homes(model: type[BaseModel], key: str, at: str = "") -> Iterator[str]:
    """The dotted paths of the mappings that have `key`, the root's as empty text."""
    if key in fields(model):
        yield at
    for name, field in fields(model).items():
        for part in models(field.annotation):
            yield from homes(part, key, f"{at}.{name}" if at else name)


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal type."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def one_of(options: Sequence[Any]) -> str:
    """Choices in plain words."""
    written = ", ".join(flow(option) for option in options)
    return f"one of {written}" if len(options) > 1 else written


def expected(annotation: Any, field: FieldInfo | None = None) -> str:
    """A type in plain words, like "a whole number from 1 to 200"."""
    if options := choices(annotation):
        return one_of(options)
    if options := models(annotation):
        keys = list(fields(options[0]))
        return f"a mapping with the key{'s' if len(keys) > 1 else ''} {', '.join(keys)}"
    if _item(annotation) is not None:
        return "a list"
    return _WORDS.get(bare(annotation), "a value of another kind") + _bounds(field)


def example(annotation: Any, field: FieldInfo | None = None) -> Any:
    """A value that would be right, to be shown; None where nobody can say."""
    own = field.examples or () if field else ()
    for given in (
        *own,
        *(given for schema in _schemas(annotation, field) for given in schema.get("examples", ())),
    ):
        return given
    if options := choices(annotation):
        return options[0]
    if options := models(annotation):
        return {key: example(part.annotation, part) for key, part in required(options[0]).items()}
    if (inside := _item(annotation)) is not None:
        return [example(inside)]
    return {bool: True, int: 1, float: 0.5}.get(bare(annotation))


def fits(text: str, annotation: Any, field: FieldInfo | None = None) -> bool:
    """Whether text has the form that the type asks for, as far as its schema tells."""
    patterns = (schema["pattern"] for schema in _schemas(annotation, field) if "pattern" in schema)
    return all(re.search(pattern, text) for pattern in patterns)


def flow(value: Any) -> str:
    """A value as a person would write it in one line of YAML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item) for item in value)}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and isinstance(scalar(value), str):
        return value
    return "…" if value is None else json.dumps(value, ensure_ascii=False)


def _item(annotation: Any) -> Any:
    """The type of a list's items, None for what is no list."""
    return get_args(annotation)[0] if get_origin(annotation) in (tuple, list) else None


def bare(annotation: Any) -> Any:
    """The type without what surrounds it: `str` for `Annotated[str, …]` and for `str | None`."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return bare(get_args(annotation)[0])
    return annotation


def _tagged(options: tuple[type[BaseModel], ...], tag: str) -> type[BaseModel]:
    """The member of a discriminated union whose literal field has `tag`."""
    return next(
        model
        for model in options
        if any(tag in choices(field.annotation) for field in model.model_fields.values())
    )


def _bounds(field: FieldInfo | None) -> str:
    """ " from 1 to 200", as far as the field says."""
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    limits = (
        f" {word} {getattr(item, name)}"
        for item in (field.metadata if field else ())
        for name, word in words.items()
        if getattr(item, name, None) is not None
    )
    return "".join(limits)


def _schemas(annotation: Any, field: FieldInfo | None) -> list[dict[str, Any]]:
    """The JSON Schemas that a scalar type brings along."""
    inline = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    metadata = (*(field.metadata if field else ()), *inline)
    return [item.json_schema for item in metadata if isinstance(item, WithJsonSchema) and item.json_schema]
