"""Strict JSON Schemas of Kubernetes' built-in kinds, one self-contained file a kind.

They come from the PyPI package kubernetes-validate, which is never imported: its folder is data. Each kind is
written once into the cache with the definitions that it reaches, named as kubeconform asks
(`deployment-apps-v1.json`, `configmap-v1.json`), so that checking reads only the kinds in use.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.check.schema_cache import DRAFT, INDEX, QUANTITY, Files, Schema, bounded, derive_once, digest
from generator.problem import Problem, ProblemsError

_PACKAGE = "kubernetes_validate"
_REFERENCE = "/api/_definitions.json#/$defs/"
_LOCAL = "#/definitions/"
_REPLACED: dict[str, Schema] = {
    # As the API server reads them; the published schemas take any text, and refuse null where it is harmless.
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number", "null"],
        "pattern": QUANTITY,
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer", "null"]},
}


def builtin_schemas(version: str, cache: Path) -> Path:
    """The folder of the schemas of a Kubernetes minor version ("1.35"); ProblemsError DC-SCH-006."""
    package = _package()
    source = package / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    if not source.is_dir():
        raise ProblemsError([_unknown(version, package)])
    key = digest(__file__, [(package / "version.py").read_bytes()])
    folder = cache / "kubernetes-schemas" / key / f"v{version}.0-local-strict"
    return derive_once(folder, lambda: _derive(source))


def file_name(kind: str, api_version: str) -> str:
    """`deployment-apps-v1.json`: kind, first word of the group, version, in lower case."""
    group, _, version = api_version.rpartition("/")
    return "-".join(filter(None, [kind, group.partition(".")[0], version])).lower() + ".json"


def _package() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None, "kubernetes-validate is a dependency"
    assert spec.origin is not None, "it is an ordinary package"
    return Path(spec.origin).parent


def _unknown(version: str, package: Path) -> Problem:
    folders = (package / "kubernetes-json-schema").glob("v*.0-local-strict")
    known = sorted((folder.name[1:].partition(".0-")[0] for folder in folders), key=_numbers)
    message = f"there are no schemas of Kubernetes {version}, so nothing can be checked"
    return Problem("DC-SCH-006", message, f"write one of {', '.join(known)} in `cluster.version`")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _derive(source: Path) -> Files:
    definitions = {
        name: _REPLACED.get(name) or _slim(schema)
        for name, schema in json.loads((source / "_definitions.json").read_bytes())["$defs"].items()
    }
    schemas: dict[str, Schema] = {}
    index: dict[str, Any] = {}
    for path in sorted(source.glob("*-v*.json")):
        original = json.loads(path.read_bytes())
        if identity := _kind(original):
            kind, api_version = identity
            schemas[file_name(kind, api_version)] = _self_contained(original, definitions)
            index.setdefault(kind, []).append(api_version)
    return {**schemas, INDEX: index}


def _kind(schema: Schema) -> tuple[str, str] | None:
    """(kind, apiVersion) of an object that can be applied; None for parts of objects, lists and options."""
    properties = schema.get("properties", {})
    kind = properties.get("kind", {}).get("enum")
    if not kind or not str(properties.get("metadata", {}).get("$ref")).endswith(".ObjectMeta"):
        return None
    return kind[0], properties["apiVersion"]["enum"][0]


def _self_contained(original: Schema, definitions: dict[str, Schema]) -> Schema:
    schema = _slim(original)
    if "status" in schema["properties"]:
        schema["properties"]["status"] = {}  # the controller's; a third of the schemas' size
    schema["required"] = list(dict.fromkeys(["apiVersion", "kind", "metadata", *schema.get("required", ())]))
    reached: dict[str, Schema] = {}
    pending = list(_references(schema))
    while pending:
        name = pending.pop()
        if name not in reached:
            reached[name] = definitions[name]
            pending += _references(reached[name])
    return {**schema, "$schema": DRAFT, "definitions": reached}


def _slim(schema: Schema) -> Schema:
    """A schema without prose, addresses and Kubernetes' own keywords, its references local."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace(_REFERENCE, _LOCAL).replace("#/$defs/", _LOCAL)}
    kept = {
        word: value
        for word, value in schema.items()
        if word not in ("$id", "$schema", "default", "description") and not word.startswith("x-")
    }
    if "properties" in kept:
        kept["properties"] = {name: _slim(field) for name, field in kept["properties"].items()}
    for word in ("items", "additionalProperties"):
        if isinstance(kept.get(word), dict):
            kept[word] = _slim(kept[word])
    for word in ("allOf", "anyOf", "oneOf"):
        if word in kept:
            kept[word] = [_slim(part) for part in kept[word]]
    if schema.get("x-kubernetes-list-type") == "set":
        kept["uniqueItems"] = True
    return bounded(kept)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_LOCAL)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
