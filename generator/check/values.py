"""Chart values against each app's `values.schema.json`: Helm ignores a misspelt key in silence, we do not."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from generator.check.rule import register
from generator.problem import Place, Problem
from generator.render.app import App
from generator.render.model import Rendered

TEMPLATE = "values.yaml.j2"
SCHEMA = "values.schema.json"
BAD_VALUE, INCOMPLETE, OPEN_SCHEMA = "DC-CHT-001", "DC-CHT-002", "DC-CHT-003"

_COMBINED = ("allOf", "anyOf", "oneOf")
_SHOWN = 60

RULES = (
    register(
        BAD_VALUE,
        "A chart value does not fit the app's schema",
        """
        The values of a chart hold only keys that its `values.schema.json` names, of the types it gives.

        Why: Helm ignores a misspelt key without a word, and several defaults of the charts hurt. The schema
        names each key that we set, and pins with `const` and `required` those whose default is a trap, so
        that no later edit brings the trap back.

        Fix: mend the key or the value in `apps/<app>/values.yaml.j2`. For a key that is new here, look it up
        in the chart's own values at the pinned version, then add it to `apps/<app>/values.schema.json`.

        Sources: docs/charts.md has what each chart's defaults do and which versions were read.
        """,
    ),
    register(
        INCOMPLETE,
        "An app has a chart but no values or no schema",
        """
        An app that names a `chart` has both `values.yaml.j2` and `values.schema.json` beside its `app.yaml`.

        Why: without values the chart's defaults decide; without a schema nobody notices a misspelt one.

        Fix: add the file that is missing, or take `chart` out of `app.yaml`.

        Sources: docs/charts.md.
        """,
    ),
    register(
        OPEN_SCHEMA,
        "A schema of chart values is not closed",
        """
        Every object in `values.schema.json` says what else it may hold: `additionalProperties` is `false`, or
        for a free map such as labels a schema of its values.

        Why: an open object lets a misspelt key through, which is what the schema is there to stop.

        Fix: add `"additionalProperties": false` at the place named, or the type of a free map's values.

        Sources: JSON Schema 2020-12, core, section 10.3.2.3.
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class ValuesSchema:
    """A closed schema of chart values, compiled once for all environments."""

    body: dict[str, Any]
    validator: Draft202012Validator
    open_at: tuple[str, ...]


def check_values(rendered: Rendered) -> list[Problem]:
    """Problems of the chart values of one environment, and of the schemas they are held to."""
    return [problem for app in rendered.apps for problem in _check_app(app, rendered)]


def _check_app(app: App, rendered: Rendered) -> Iterator[Problem]:
    values = rendered.values.get(app.name)
    if app.chart is None and values is None:
        return
    missing = [name for name in (TEMPLATE, SCHEMA) if not (app.folder / name).is_file()]
    if missing or app.chart is None or values is None:
        yield _incomplete(app, missing)
        return
    try:
        schema = _schema(app.folder / SCHEMA, (app.folder / SCHEMA).stat().st_mtime_ns)
    except (OSError, TypeError, ValueError) as error:
        yield Problem(
            INCOMPLETE, f"cannot use this schema: {error}", "write a JSON Schema", _place(app, SCHEMA)
        )
        return
    for at in schema.open_at:
        yield Problem(
            OPEN_SCHEMA,
            f"the object at `{at}` takes any key",
            'add `"additionalProperties": false`, or the type of its values if it is a free map',
            _place(app, SCHEMA),
            _subject(app),
        )
    if not schema.validator.is_valid(values):
        for mistake in schema.validator.iter_errors(values):
            yield from _bad_values(mistake, schema.body, app)


def _incomplete(app: App, missing: Sequence[str]) -> Problem:
    if app.chart is None:
        message, hint = f"`{app.name}` has chart values but no chart", "add `chart:` or delete the values"
    else:
        message = f"`{app.name}` has the chart `{app.chart}` but no {' and no '.join(missing) or TEMPLATE}"
        hint = f"add apps/{app.name}/{missing[0] if missing else TEMPLATE}"
    return Problem(INCOMPLETE, message, hint, app.document.place(("chart",)), _subject(app))


@lru_cache(maxsize=64)
def _schema(path: Path, _modified: int) -> ValuesSchema:
    """Read and compile; `_modified` makes a changed file a new entry, for watch mode."""
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict):
        raise TypeError("it is no JSON object")
    return ValuesSchema(body, Draft202012Validator(body), tuple(open_objects(body)))


def open_objects(schema: Any, at: str = "#") -> Iterator[str]:
    """JSON pointers of every subschema for objects that lets unknown keys through.

    Branches of `allOf`, `anyOf` and `oneOf` without properties only constrain what stands beside them.
    """
    if not isinstance(schema, dict):
        return
    is_object = schema.get("type") == "object" or "properties" in schema
    if is_object and schema.get("additionalProperties", True) in (True, {}):
        yield at
    for key in ("properties", "patternProperties", "$defs"):
        for name, sub in schema.get(key, {}).items():
            yield from open_objects(sub, f"{at}/{key}/{name}")
    for key in ("additionalProperties", "items"):
        yield from open_objects(schema.get(key), f"{at}/{key}")
    for key in _COMBINED:
        for index, sub in enumerate(schema.get(key, ())):
            yield from open_objects(sub, f"{at}/{key}/{index}")


def _bad_values(error: ValidationError, schema: dict[str, Any], app: App) -> Iterator[Problem]:
    path = list(error.instance_path)
    for message, hint in _words(error, path, schema):
        yield Problem(BAD_VALUE, message, hint, _place(app, TEMPLATE), _subject(app))


def _words(
    error: ValidationError, path: Sequence[str | int], schema: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Message and hint for each mistake that one validation error stands for."""
    kind = error.kind.as_dict()
    what = f"`{dotted(path)}` is {_text(error.instance)}"
    match error.kind.name:
        case "additionalProperties":
            known = sorted(_properties(schema, path))
            for key in sorted(kind["unexpected"]):
                yield f"`{dotted([*path, key])}` is no value that this app sets", _meant(key, known)
        case "required":
            missing = [*path, kind["property"]]
            yield f"`{dotted(missing)}` is missing", _demand(schema, missing)
        case "const" | "enum" | "pattern" | "not":
            yield what, _demand(schema, path)
        case "type":
            yield what, f"its type is {' or '.join(kind['types'])}"
        case _:
            yield f"`{dotted(path)}`: {error.message}", ""


def _meant(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known here: {', '.join(known)}" if known else f"add it to {SCHEMA} if the chart has it"


def _demand(schema: dict[str, Any], path: Sequence[str | int]) -> str:
    """What the schema asks of the value at `path`, and why, as far as it says so."""
    wanted = _subschema(schema, path)
    if "const" in wanted:
        asked = f"write {json.dumps(wanted['const'], ensure_ascii=False)}"
    elif "enum" in wanted:
        asked = "write one of " + ", ".join(json.dumps(option) for option in wanted["enum"])
    elif "pattern" in wanted:
        asked = f"write text like {wanted['pattern']}"
    else:
        asked = ""
    return ": ".join(part for part in (asked, wanted.get("description", "")) if part)


def _properties(schema: dict[str, Any], path: Sequence[str | int]) -> dict[str, Any]:
    """The properties that the schema knows at `path` of the values."""
    found: dict[str, Any] = _subschema(schema, path).get("properties", {})
    return found


def _subschema(schema: dict[str, Any], path: Sequence[str | int]) -> dict[str, Any]:
    """The schema of the value at `path`; empty where it has none."""
    here: Any = schema
    for step in path:
        here = _resolved(here, schema)
        if isinstance(step, int):
            here = here.get("items")
        else:
            here = here.get("properties", {}).get(step, here.get("additionalProperties"))
        if not isinstance(here, dict):
            return {}
    return _resolved(here, schema)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The definition behind a `$ref` to `#/$defs/…`, the only kind that our schemas use."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    found: dict[str, Any] = root["$defs"][name] if name else schema
    return found


def dotted(path: Sequence[str | int]) -> str:
    """Path of a value as people write it: `grafana.tolerations[0].key`; keys with dots are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (f'"{step}"' if "." in step else step)
    return text


def _text(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def _place(app: App, file: str) -> Place:
    return Place(f"{app.folder.parent.name}/{app.name}/{file}")


def _subject(app: App) -> str:
    return f"{app.name} (chart {app.chart})" if app.chart else app.name
