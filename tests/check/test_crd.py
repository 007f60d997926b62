"""CRDs → strict JSON Schemas: each rule on its own, then the real ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for

from generator.check.crd import (
    crd_manifests,
    crd_schemas,
    manifest_files,
    read_crd,
    root_schema,
    schemas_of,
    strict,
)
from generator.check.schema_cache import INDEX, derive_once
from generator.problem import ProblemsError

TEXT = {"type": "string"}

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {op: {type: string, enum: [=, 2026-01-01]}}}}
    - {name: v1beta1, served: false, schema: {openAPIV3Schema: {type: object}}}
"""


@pytest.fixture(scope="module")
def cache() -> Path:
    """The checkout's own cache: schemas are derived once for all runs."""
    return Path(__file__).parents[2] / ".cache"


def valid(structural: dict[str, Any], value: Any) -> bool:
    return validator_for(strict(structural)).is_valid(value)


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    (folder / "example.com").mkdir(parents=True)
    (folder / "example.com" / "things.yaml").write_text(CRD)
    return folder


def test_an_object_with_fields_is_closed() -> None:
    closed = {"type": "object", "properties": {"a": TEXT}}
    assert valid(closed, {"a": "x"})
    assert not valid(closed, {"b": "x"})
    assert not valid({"type": "array", "items": closed}, [{"b": "x"}])
    assert not valid({"type": "object", "additionalProperties": closed}, {"key": {"b": "x"}})


def test_an_object_that_keeps_unknown_fields_stays_open_but_not_what_it_holds() -> None:
    inner = {"type": "object", "properties": {"b": TEXT}}
    open_ended = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": inner}}
    assert valid(open_ended, {"other": 1})
    assert not valid(open_ended, {"a": {"other": 1}})


def test_a_map_stays_a_map_and_an_object_without_fields_open() -> None:
    assert valid({"type": "object", "additionalProperties": TEXT}, {"any": "x"})
    assert not valid({"type": "object", "additionalProperties": TEXT}, {"any": 1})
    assert valid({"type": "object"}, {"any": 1})


def test_branches_limit_what_stands_beside_them_and_are_not_closed() -> None:
    either = {
        "type": "object",
        "properties": {"a": TEXT, "b": TEXT, "c": TEXT},
        "oneOf": [{"required": ["a"]}, {"required": ["b"], "properties": {"b": {"enum": ["x"]}}}],
        "not": {"properties": {"c": {"enum": ["never"]}}, "required": ["c"]},
    }
    assert valid(either, {"a": "1", "c": "2"})
    assert valid(either, {"b": "x", "c": "2"})
    assert not valid(either, {"b": "y"})
    assert not valid(either, {"a": "1", "c": "never"})
    assert not valid(either, {"c": "2"})


def test_branches_go_into_lists_maps_and_each_other() -> None:
    nested = {
        "type": "object",
        "additionalProperties": {"type": "array", "items": TEXT},
        "allOf": [
            {"additionalProperties": {"items": {"anyOf": [{"enum": ["a"]}, {"not": {"enum": ["b", "c"]}}]}}}
        ],
    }
    assert valid(nested, {"key": ["a", "d"]})
    assert not valid(nested, {"key": ["b"]})


def test_int_or_string() -> None:
    port = {"anyOf": [{"type": "integer"}, TEXT], "x-kubernetes-int-or-string": True, "pattern": "^[a-z]+$"}
    assert valid(port, 80)
    assert valid(port, "http")
    assert not valid(port, "HTTP")
    assert not valid(port, 1.5)


def test_nullable_adds_null_to_type_and_enum() -> None:
    assert valid({"type": "string", "enum": ["a"], "nullable": True}, None)
    assert not valid({"type": "string", "enum": ["a"], "nullable": True}, "b")
    assert not valid({"type": "string"}, None)


def test_numbers_keep_their_width_sets_their_uniqueness_and_bytes_their_alphabet() -> None:
    assert not valid({"type": "integer", "format": "int32"}, 2**31)
    assert valid({"type": "integer", "format": "int64"}, 2**31)
    assert not valid({"type": "integer", "format": "int32", "maximum": 10}, 11)
    assert not valid({"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}, ["a", "a"])
    assert not valid({"type": "string", "format": "byte"}, "not base64!")


def test_a_pattern_with_go_flags_is_left_out() -> None:
    assert valid({"type": "string", "pattern": "^(?i)(abort|warn)?$"}, "anything")


def test_an_embedded_resource_may_say_what_it_is() -> None:
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"spec": {"type": "object"}},
    }
    assert valid(embedded, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}})
    assert not valid(embedded, {"specs": {}})


def test_the_root_has_what_every_object_has() -> None:
    structural = {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3}}},
            "spec": {"type": "object"},
            "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
        },
    }
    validator = validator_for(root_schema("Thing", "example.com/v1", structural))
    good = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "abc", "labels": {"a": "b"}},
        "spec": {},
    }
    assert validator.is_valid(good)
    assert validator.is_valid({**good, "status": {"anything": "goes"}})
    assert not validator.is_valid({**good, "metadata": {"name": "abcd"}})
    assert not validator.is_valid({**good, "metadata": {"name": "abc", "labels": {"a": True}}})
    assert not validator.is_valid({**good, "metadata": {"name": "abc", "label": {}}})
    assert not validator.is_valid({**good, "apiVersion": "example.com/v2"})
    assert not validator.is_valid({**good, "data": {}})
    assert not validator.is_valid({key: value for key, value in good.items() if key != "spec"})


def test_yaml_1_1_readings_do_not_get_in(manifests: Path) -> None:
    path = manifests / "example.com" / "things.yaml"
    [(kind, api_version, schema)] = schemas_of(read_crd(path.read_bytes(), path))
    assert (kind, api_version) == ("Thing", "example.com/v1")
    assert schema["properties"]["spec"]["properties"]["op"]["enum"] == ["=", "2026-01-01"]


def test_derived_once_for_each_content(manifests: Path, tmp_path: Path) -> None:
    first = crd_schemas(manifests, tmp_path)
    assert sorted(path.relative_to(first).as_posix() for path in first.rglob("*.json")) == [
        "example.com/thing_v1.json",
        INDEX,
    ]
    assert json.loads((first / INDEX).read_text()) == {"Thing": ["example.com/v1"]}
    written = (first / INDEX).stat().st_mtime_ns
    assert crd_schemas(manifests, tmp_path) == first
    assert (first / INDEX).stat().st_mtime_ns == written
    path = manifests / "example.com" / "things.yaml"
    path.touch()
    assert crd_schemas(manifests, tmp_path) == first, "the content decides, not the time"
    path.write_text(CRD.replace("op:", "operator:"))
    assert crd_schemas(manifests, tmp_path) != first


def test_a_cache_that_was_half_deleted_is_made_again(manifests: Path, tmp_path: Path) -> None:
    first = crd_schemas(manifests, tmp_path)
    shutil.rmtree(first)
    assert crd_schemas(manifests, tmp_path) == first
    assert (first / "example.com/thing_v1.json").is_file()


def test_a_failed_derivation_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> dict[str, Any]:
        raise ProblemsError([])

    with pytest.raises(ProblemsError):
        derive_once(tmp_path / "schemas" / "abc", fail)
    assert list((tmp_path / "schemas").iterdir()) == []


def test_of_two_that_derive_at_once_the_first_wins(tmp_path: Path) -> None:
    folder = tmp_path / "schemas" / "abc"

    def meanwhile() -> dict[str, Any]:
        folder.mkdir()
        (folder / "first.json").write_text("{}")
        return {"second.json": {}}

    assert derive_once(folder, meanwhile) == folder
    assert [path.name for path in folder.parent.rglob("*.json")] == ["first.json"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("a: [", "cannot read"), ("kind: Deployment", "it is no Custom"), ("- a", "it is no Custom")],
)
def test_a_file_that_is_no_crd_is_a_problem_with_its_name(
    manifests: Path, tmp_path: Path, text: str, why: str
) -> None:
    (manifests / "example.com" / "others.yaml").write_text(text)
    with pytest.raises(ProblemsError, match=why) as caught:
        crd_schemas(manifests, tmp_path)
    [problem] = caught.value.problems
    assert problem.code == "DC-SCH-003"
    assert problem.where is not None
    assert problem.where.file.endswith("others.yaml")


def test_the_folder_is_named_by_the_environment_else_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRD_MANIFESTS", str(tmp_path / "named"))
    assert crd_manifests(tmp_path) == tmp_path / "named"
    monkeypatch.delenv("CRD_MANIFESTS")
    assert crd_manifests(tmp_path) == tmp_path / "crd-manifests"


def test_no_folder_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        manifest_files(tmp_path)
    assert "make schemas" in caught.value.problems[0].hint


def test_every_real_crd_becomes_schemas_that_compile(cache: Path) -> None:
    manifests = crd_manifests(cache)
    folder = crd_schemas(manifests, cache)
    files = sorted(folder.glob("*/*.json"))
    assert len(files) >= len(manifest_files(manifests)) >= 41
    for path in files:
        validator = validator_for(path.read_text())
        assert not validator.is_valid({"apiVersion": "v1", "kind": "Other", "metadata": {}}), path.name
    index = json.loads((folder / INDEX).read_text())
    assert index["ExternalSecret"] == ["external-secrets.io/v1"]
