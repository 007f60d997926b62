"""CustomResourceDefinitions → strict JSON Schemas of the custom resources.

The manifests lie as `<group>/<plural>.yaml` in the folder that `CRD_MANIFESTS` names, else in
`.cache/crd-manifests`. The schemas are derived once for each content, as `<group>/<kind>_<version>.json`
with the kind in lower case: the layout that kubeconform's `-schema-location` takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.check.schema_cache import DRAFT, INDEX, Files, Schema, bounded, derive_once, digest
from generator.problem import Place, Problem, ProblemsError

VARIABLE = "CRD_MANIFESTS"

_KEPT = (  # what limits a value in a structural schema and means the same in JSON Schema
    "type", "required", "enum", "pattern", "format",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
_BRANCHES = ("allOf", "anyOf", "oneOf")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_ANYTHING: Schema = {"type": "object"}

METADATA: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "generateName": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "ownerReferences": {"type": "array", "items": _ANYTHING},
        "creationTimestamp": {"type": ["string", "null"]},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "deletionTimestamp": {"type": "string"},
        "generation": {"type": "integer"},
        "managedFields": {"type": "array", "items": _ANYTHING},
        "resourceVersion": {"type": "string"},
        "selfLink": {"type": "string"},
        "uid": {"type": "string"},
    },
    "additionalProperties": False,
}
"""ObjectMeta, which a CRD's schema leaves out (Kubernetes API reference, meta/v1)."""


def crd_manifests(cache: Path) -> Path:
    """The folder of the CRD manifests: what `CRD_MANIFESTS` names, else `crd-manifests` in the cache."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else cache / "crd-manifests"


def crd_schemas(manifests: Path, cache: Path) -> Path:
    """The folder of the schemas derived from `manifests`. ProblemsError DC-SCH-003 where there are none."""
    paths = manifest_files(manifests)
    folder = cache / "crd-schemas"
    stamp = folder / "stamps" / digest(__file__, map(_identity, paths))
    try:
        return _existing(folder / stamp.read_text(encoding="ascii"))
    except FileNotFoundError:
        pass  # new or touched files: their content decides
    files = {path: path.read_bytes() for path in paths}
    key = digest(__file__, (part for path, text in files.items() for part in (path.name.encode(), text)))
    derived = derive_once(folder / key, lambda: _derive(files))
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(key, encoding="ascii")
    return derived


def _identity(path: Path) -> bytes:
    """What changes when a file is written: 41 of these cost 0.4 ms, the 5 MB of content 10."""
    status = path.stat()
    return f"{path}\0{status.st_size}\0{status.st_mtime_ns}".encode()


def _existing(folder: Path) -> Path:
    (folder / INDEX).stat()  # FileNotFoundError unless it was derived
    return folder


def manifest_files(manifests: Path) -> list[Path]:
    """Every `<group>/<plural>.yaml`, sorted. ProblemsError DC-SCH-003 where there is none."""
    files = sorted(manifests.glob("*/*.yaml"))
    if not files:
        raise ProblemsError([_missing(manifests)])
    return files


def read_crd(text: bytes, path: Path) -> dict[str, Any]:
    """One CustomResourceDefinition. ProblemsError DC-SCH-003 where the file holds none."""
    import yaml  # only to derive: not on the everyday path

    try:
        found = yaml.load(text, Loader=_loader())  # noqa: S506  (a SafeLoader with fewer resolvers)
    except yaml.YAMLError as error:
        raise ProblemsError([_unreadable(path, " ".join(str(error).split()))]) from None
    if not isinstance(found, dict) or found.get("kind") != "CustomResourceDefinition":
        raise ProblemsError([_unreadable(path, "it is no CustomResourceDefinition")])
    return found


def schemas_of(crd: dict[str, Any]) -> Iterator[tuple[str, str, Schema]]:
    """(kind, apiVersion, strict JSON Schema) of every served version of a CustomResourceDefinition."""
    spec = crd["spec"]
    kind = spec["names"]["kind"]
    for version in spec["versions"]:
        if version["served"]:
            api_version = f"{spec['group']}/{version['name']}"
            yield kind, api_version, root_schema(kind, api_version, version["schema"]["openAPIV3Schema"])


def root_schema(kind: str, api_version: str, structural: Schema) -> Schema:
    """The strict JSON Schema of one kind from its structural schema, with what every object has."""
    schema = strict(structural)
    properties = schema.get("properties", {})
    own_metadata = {k: v for k, v in properties.get("metadata", {}).items() if k != "additionalProperties"}
    properties |= {
        "apiVersion": {"type": "string", "enum": [api_version]},
        "kind": {"type": "string", "enum": [kind]},
        "metadata": METADATA | ({"allOf": [own_metadata]} if "properties" in own_metadata else {}),
    }
    if "status" in properties:
        properties["status"] = {}  # the controller's; a third of the schemas' size
    required = dict.fromkeys(["apiVersion", "kind", "metadata", *schema.get("required", ())])
    closed = {"properties": properties, "additionalProperties": False} if properties.keys() - _COMMON else {}
    return {"$schema": DRAFT, **schema, "properties": properties, "required": list(required), **closed}


_COMMON = {"apiVersion", "kind", "metadata"}


def strict(structural: Schema) -> Schema:
    """A structural schema as a strict JSON Schema: objects closed, Kubernetes' own keywords translated."""
    schema = _limits(structural) | _children(structural)
    open_ended = structural.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and not open_ended:
        if structural.get("x-kubernetes-embedded-resource"):
            schema["properties"] |= {name: {} for name in _COMMON - schema["properties"].keys()}
        schema["additionalProperties"] = False
    # A branch only limits what stands beside it, so it is never closed.
    for word in _BRANCHES:
        if word in structural and not (word == "anyOf" and structural.get("x-kubernetes-int-or-string")):
            schema[word] = [_branch(part) for part in structural[word]]
    if "not" in structural:
        schema["not"] = _branch(structural["not"])
    return schema


def _limits(structural: Schema) -> Schema:
    """The keywords that limit the value itself."""
    schema = bounded({word: structural[word] for word in _KEPT if word in structural})
    if "(?i)" in schema.get("pattern", ""):
        del schema["pattern"]  # a Go flag in mid-pattern, which JSON Schema's dialect does not have
    if structural.get("x-kubernetes-int-or-string"):
        schema["type"] = ["integer", "string"]
    if structural.get("x-kubernetes-list-type") == "set":
        schema["uniqueItems"] = True
    if structural.get("nullable"):
        schema |= {"type": [*_as_list(schema.get("type")), "null"]} if "type" in schema else {}
        schema |= {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema


def _children(structural: Schema) -> Schema:
    """The schemas of an object's fields and of a list's items."""
    schema: Schema = {}
    if "properties" in structural:
        schema["properties"] = {name: strict(field) for name, field in structural["properties"].items()}
    for word in ("items", "additionalProperties"):
        if word in structural:
            value = structural[word]
            schema[word] = strict(value) if isinstance(value, dict) else value
    return schema


def _branch(structural: Schema) -> Schema:
    schema = _limits(structural)
    if "properties" in structural:
        schema["properties"] = {name: _branch(field) for name, field in structural["properties"].items()}
    for word in ("items", "additionalProperties"):
        if isinstance(structural.get(word), dict):
            schema[word] = _branch(structural[word])
    for word in _BRANCHES:
        if word in structural:
            schema[word] = [_branch(part) for part in structural[word]]
    if "not" in structural:
        schema["not"] = _branch(structural["not"])
    return schema


def _as_list(types: str | list[str] | None) -> list[str]:
    return [types] if isinstance(types, str) else list(types or ())


def _derive(files: dict[Path, bytes]) -> Files:
    schemas: dict[str, Schema] = {}
    index: dict[str, Any] = {}
    for path, text in files.items():
        for kind, api_version, schema in schemas_of(read_crd(text, path)):
            schemas[file_name(kind, api_version)] = schema
            index.setdefault(kind, []).append(api_version)
    return {**schemas, INDEX: index}


def file_name(kind: str, api_version: str) -> str:
    """Where a kind's schema lies below the folder: `cert-manager.io/issuer_v1.json`."""
    group, _, version = api_version.rpartition("/")
    return f"{group}/{kind.lower()}_{version}.json"


def _loader() -> Any:
    """A safe YAML loader without two YAML 1.1 readings: a bare `=` as a merge value, dates as objects."""
    import yaml

    unwanted = {"tag:yaml.org,2002:value", "tag:yaml.org,2002:timestamp"}
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag not in unwanted]
        for first, known in base.yaml_implicit_resolvers.items()
    }
    return type("CrdLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def _missing(manifests: Path) -> Problem:
    return Problem(
        "DC-SCH-003",
        "custom resources cannot be checked: there are no CustomResourceDefinitions here",
        f"`make schemas` fetches them; or name a folder of <group>/<plural>.yaml in {VARIABLE}",
        Place(str(manifests)),
    )


def _unreadable(path: Path, why: str) -> Problem:
    hint = "remove the folder and run `make schemas`, or correct the file"
    return Problem("DC-SCH-003", f"cannot read a CustomResourceDefinition: {why}", hint, Place(str(path)))
