"""The JSON Schema of environment files, for editors: completion, descriptions and errors while typing.

Draft 7, because that is what the YAML language server has understood for longest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from generator.config.environment import Environment
from generator.config.tiers import TIER_DEFAULTS

_DRAFT = "http://json-schema.org/draft-07/schema#"


class _Schema(GenerateJsonSchema):
    """Without a title for each key: editors would show it instead of the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def schema_text() -> str:
    """The schema as it is committed: environments/environment.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema of one environment file. What every tier has a default for is not required."""
    generated = Environment.model_json_schema(
        by_alias=True, ref_template="#/definitions/{model}", schema_generator=_Schema
    )
    definitions: dict[str, Any] = generated.pop("$defs")
    _relax(generated, reduce(_common, TIER_DEFAULTS.values()), definitions)
    for part in (generated, *definitions.values()):
        for key in part["properties"].values():
            key.pop("discriminator", None)  # OpenAPI's word; `oneOf` says the same
    comment = "Generated from generator/config by `dhakacart schema`. Do not edit."
    return {"$schema": _DRAFT, "$comment": comment, **generated, "definitions": definitions}


def _common(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that both have, at every level."""
    return {
        key: _common(value, second[key]) if isinstance(value, Mapping) else value
        for key, value in first.items()
        if key in second
    }


def _relax(part: dict[str, Any], defaults: Mapping[str, Any], definitions: Mapping[str, Any]) -> None:
    """Take out of `required` what the defaults supply whole."""
    for key, value in defaults.items():
        if isinstance(value, Mapping):
            inner = definitions[part["properties"][key]["$ref"].rsplit("/", 1)[-1]]
            _relax(inner, value, definitions)
            if inner.get("required"):
                continue
        part["required"] = [name for name in part.get("required", ()) if name != key]
    if not part.get("required"):
        part.pop("required", None)
