"""What a JSON Schema error says, in words for the person who wrote the template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.check.schema_cache import BASE64, QUANTITY, Schema

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

LISTED = 12  # field names and values in a hint; more would hide the one that is meant


class Fault(NamedTuple):
    """One mistake in one object."""

    message: str
    hint: str = ""


Path = Sequence[str | int]
_PLAIN = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$-]*$")
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "empty",
    "number": "a number",
    "object": "a map",
    "string": "text",
}
_BOUNDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
}
_FORMATS = {
    "date-time": "a time like 2026-11-22T18:00:00Z",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
}
_PATTERNS = {
    QUANTITY: ("is no quantity", "write a number with a unit that Kubernetes knows: 500m, 1.5, 256Mi, 100Gi"),
    BASE64: ("is no base64", "encode it, or use `stringData` for plain text"),
}


def faults(errors: Iterable[ValidationError], schema: Schema) -> Iterator[Fault]:
    """Every error against `schema` as a message and, where one can be given, a hint."""
    for error in errors:
        yield from _fault(error, schema)


def field_path(path: Path) -> str:
    """`spec.containers[0].image`; keys with other characters are quoted: `metadata.labels["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.match(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text or "the object"


def _fault(error: ValidationError, schema: Schema) -> Iterator[Fault]:
    kind = error.kind
    word = kind.name
    where = field_path(error.instance_path)
    if word == "additionalProperties":
        names = _known_fields(schema, error.evaluation_path)
        for unknown in kind.as_dict()["unexpected"]:
            yield Fault(
                f"{field_path([*error.instance_path, unknown])}: there is no such field",
                similar(unknown, names),
            )
    elif word == "required":
        yield Fault(f"{where}: `{kind.as_dict()['property']}` is missing")
    elif word in ("anyOf", "oneOf"):
        yield from _branches(error, schema)
    else:
        yield _value_fault(error, where)


def _value_fault(error: ValidationError, where: str) -> Fault:
    """A fault of the value itself, not of what is in it."""
    word, limit, value = error.kind.name, error.kind.value, shown(error.instance)
    if word == "type":
        return Fault(
            f"{where}: must be {_one_of_types(limit)}, not {_described(error.instance)}",
            _retype(limit, error),
        )
    if word == "enum":
        allowed = [str(choice) for choice in limit if choice is not None]
        return Fault(f"{where}: {value} is not allowed", similar(str(error.instance), allowed))
    if word == "pattern":
        message, hint = _PATTERNS.get(limit, ("does not have the form asked for", f"it must match {limit}"))
        return Fault(f"{where}: {value} {message}", hint)
    if word == "format":
        return Fault(f"{where}: {value} is not {_FORMATS.get(limit, limit)}")
    if word == "uniqueItems":
        return Fault(f"{where}: holds an entry twice: {value}")
    if word in _BOUNDS:
        bound = next(iter(error.kind.as_dict().values()))
        return Fault(f"{where}: {_BOUNDS[word].format(bound)}, not {value}")
    return Fault(f"{where}: {value} is not allowed here", error.message)


def _branches(error: ValidationError, schema: Schema) -> Iterator[Fault]:
    """No branch of anyOf or oneOf fits: the one that came nearest is what was meant."""
    where = field_path(error.instance_path)
    branches: list[list[ValidationError]] = [
        branch for branch in error.kind.as_dict().get("context", []) if branch
    ]
    words = {inner.kind.name for branch in branches for inner in branch}
    if not branches:
        yield Fault(
            f"{where}: fits more than one of the forms that exclude each other", shown(error.instance)
        )
    elif words == {"required"}:
        names = dict.fromkeys(inner.kind.as_dict()["property"] for branch in branches for inner in branch)
        yield Fault(f"{where}: one of these is missing: {', '.join(names)}")
    elif words == {"type"} and all(
        inner.instance_path == error.instance_path for b in branches for inner in b
    ):
        types = [name for branch in branches for inner in branch for name in _listed(inner.kind.value)]
        yield Fault(f"{where}: must be {_one_of_types(types)}, not {_described(error.instance)}")
    else:
        nearest = min(branches, key=lambda b: (-max(len(e.instance_path) for e in b), len(b)))
        yield from faults(nearest, schema)


def _known_fields(schema: Schema, evaluation_path: Path) -> list[str]:
    """Names of the fields that the schema at `evaluation_path` (it ends in additionalProperties) knows."""
    here: Any = schema
    for step in evaluation_path[:-1]:
        if step == "$ref" and isinstance(here.get("$ref"), str):
            here = schema["definitions"][here["$ref"].rpartition("/")[2]]
        else:
            here = here[step]
    return list(here.get("properties", ()))


def similar(wrong: str, known: Sequence[str]) -> str:
    """A hint that names what was probably meant, else what is known."""
    import difflib  # only when something is wrong

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{by_lower[near[0]]}`?"
    if not known:
        return ""
    rest = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return f"known here: {', '.join(sorted(known)[:LISTED])}{rest}"


def shown(value: Any) -> str:
    """A value as JSON, cut to a line's length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _described(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a map"
        case list():
            return "a list"
        case str():
            return f"the text {shown(value)}"
        case _:
            return shown(value)


def _one_of_types(types: str | list[str]) -> str:
    names = [_TYPES.get(name, name) for name in dict.fromkeys(_listed(types)) if name != "null"] or ["empty"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _listed(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _retype(types: str | list[str], error: ValidationError) -> str:
    """What to write where only the quotes are wrong."""
    wanted, value = _listed(types), error.instance
    if "string" in wanted and isinstance(value, bool | int | float):
        return f"put it in quotes: {json.dumps(json.dumps(value))}"
    if isinstance(value, str) and not {"integer", "number", "boolean"}.isdisjoint(wanted):
        try:
            bare = json.loads(value)
        except ValueError:
            return ""
        return f"leave the quotes out: {value}" if isinstance(bare, bool | int | float) else ""
    return ""
