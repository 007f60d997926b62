"""The editor's schema is what the models say, accepts what loads, and refuses what a schema can refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from config.bad_cases import CASES, GOOD, read_case
from generator.config.document import parse_document
from generator.config.schema import schema_text
from generator.problem import ProblemsError

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "environments" / "environment.schema.json"
VALIDATOR = jsonschema_rs.Draft7Validator(json.loads(schema_text()))

# A JSON Schema looks at one value at a time, and takes 10.0 for a whole number.
BEYOND = (
    "contradiction-",
    "overlap-",
    "file-name",
    "type-fraction-for-whole",
    "value-cidr-",
    "value-backups",
    "value-storage-too-small",
)


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(), "run `dhakacart schema`"


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(json.loads(schema_text()))


def test_every_environment_names_the_schema() -> None:
    for path in COMMITTED.parent.glob("*.yaml"):
        assert path.read_text().startswith(f"# yaml-language-server: $schema={COMMITTED.name}\n")


def readable(text: str) -> Any:
    document, _ = parse_document(text, "f")
    return document.value


@pytest.mark.parametrize("path", sorted(COMMITTED.parent.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_environments_are_accepted(path: Path) -> None:
    VALIDATOR.validate(readable(path.read_text()))


def test_what_the_tier_supplies_is_not_required() -> None:
    VALIDATOR.validate(readable(GOOD))


@pytest.mark.parametrize(
    "path",
    [path for path in CASES if not path.stem.startswith(("yaml-", *BEYOND))],
    ids=lambda path: str(path.stem),
)
def test_mistakes_are_refused(path: Path) -> None:
    assert not VALIDATOR.is_valid(readable(read_case(path).text))


def test_every_key_is_described() -> None:
    definitions = json.loads(schema_text())
    for name, part in {"Environment": definitions, **definitions["definitions"]}.items():
        for key, value in part["properties"].items():
            assert value.get("description") or "const" in value, f"{name}.{key} has no description"


def test_broken_yaml_never_reaches_the_schema() -> None:
    with pytest.raises(ProblemsError):
        readable("a: [")
