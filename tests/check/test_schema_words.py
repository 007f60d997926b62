"""Each kind of schema error in words."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import validator_for

from generator.check.schema_words import LISTED, faults, field_path, similar

A_OR_B = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}


def words(schema: dict[str, Any], value: Any) -> list[str]:
    draft = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    found = faults(validator_for(draft).iter_errors(value), draft)
    return [message + (f" ({hint})" if hint else "") for message, hint in found]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (
            {"type": "integer"},
            "3",
            'the object: must be a whole number, not the text "3" (leave the quotes out: 3)',
        ),
        (
            {"type": ["null", "boolean"]},
            "true",
            'must be true or false, not the text "true" (leave the quotes out',
        ),
        ({"type": "integer"}, "three", 'must be a whole number, not the text "three"'),
        ({"type": "integer"}, '"', "must be a whole number, not the text"),
        ({"type": "string"}, 1.5, 'must be text, not 1.5 (put it in quotes: "1.5")'),
        ({"type": "string"}, None, "must be text, not empty"),
        ({"type": ["array", "object"]}, "a", 'must be a list or a map, not the text "a"'),
        ({"type": "array"}, {"a": 1}, "must be a list, not a map"),
        ({"enum": ["Always", "Never"]}, "always", '"always" is not allowed (did you mean `Always`?)'),
        ({"enum": ["Always", None]}, 7, "7 is not allowed (known here: Always)"),
        ({"pattern": "^a+$"}, "b", '"b" does not have the form asked for (it must match ^a+$)'),
        ({"format": "date-time"}, "today", '"today" is not a time like 2026-11-22T18:00:00Z'),
        ({"uniqueItems": True}, [1, 1], "holds an entry twice: [1, 1]"),
        ({"minimum": 1}, 0, "must be at least 1, not 0"),
        ({"exclusiveMaximum": 3}, 3, "must be less than 3, not 3"),
        ({"maxLength": 2}, "abc", 'must have at most 2 characters, not "abc"'),
        ({"minItems": 1}, [], "must have at least 1 entries, not []"),
        ({"not": {"enum": ["a"]}}, "a", '"a" is not allowed here'),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            [],
            "must be a whole number or text, not a list",
        ),
        (A_OR_B, {}, "the object: one of these is missing: a, b"),
        (
            {"oneOf": A_OR_B["anyOf"]},
            {"a": 1, "b": 2},
            "fits more than one of the forms that exclude each other",
        ),
    ],
)
def test_an_error_in_words(schema: dict[str, Any], value: Any, expected: str) -> None:
    [said] = words(schema, value)
    assert expected in said


def test_of_several_forms_the_nearest_is_explained() -> None:
    http = {"properties": {"port": {"type": "integer"}}, "required": ["port"]}
    command = {"properties": {"run": {"type": "string"}}, "required": ["run"]}
    assert words({"properties": {"probe": {"anyOf": [http, command]}}}, {"probe": {"port": "x"}}) == [
        'probe.port: must be a whole number, not the text "x"'
    ]


def test_unknown_fields_are_looked_up_behind_references() -> None:
    schema = {
        "properties": {"items": {"items": {"$ref": "#/definitions/thing"}}},
        "definitions": {"thing": {"properties": {"image": {}}, "additionalProperties": False}},
    }
    assert words(schema, {"items": [{"imag": 1, "other": 2}]}) == [
        "items[0].imag: there is no such field (did you mean `image`?)",
        "items[0].other: there is no such field (known here: image)",
    ]


def test_long_values_are_cut() -> None:
    [said] = words({"type": "integer"}, "x" * 500)
    assert len(said) < 150


def test_long_lists_of_names_are_cut() -> None:
    hint = similar("zzz", [f"field{i:02}" for i in range(LISTED + 5)])
    assert hint.startswith("known here: field00, ")
    assert hint.endswith("field11 and 5 more")
    assert similar("zzz", []) == ""


def test_paths() -> None:
    assert field_path(["spec", "containers", 0, "image"]) == "spec.containers[0].image"
    assert field_path(["metadata", "labels", "a.b/c"]) == 'metadata.labels["a.b/c"]'
    assert field_path([0, "a"]) == "[0].a"
