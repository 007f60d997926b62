"""Objects against the schemas of their kinds: built-in ones, and custom resources by their CRDs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from generator.check import crd, schema_builtin
from generator.check.schema_cache import INDEX
from generator.check.schema_codes import MISMATCH, NAME, UNKNOWN_KIND
from generator.check.schema_names import metadata_faults
from generator.problem import Place, Problem, ProblemsError
from generator.render.model import Body, Obj

if TYPE_CHECKING:
    from jsonschema_rs import Validator


class SchemaFolders(NamedTuple):
    """Where an environment's schemas come from."""

    builtin: Path
    manifests: Path
    cache: Path


def schema_folders(kubernetes_version: str, cache: Path, manifests: Path | None = None) -> SchemaFolders:
    """The folders for a Kubernetes minor version ("1.35"); ProblemsError DC-SCH-006 if that is unknown.

    `cache` is the repository's `.cache`; `manifests` holds the CRDs (default: `crd.crd_manifests`).
    """
    builtin = schema_builtin.builtin_schemas(kubernetes_version, cache)
    return SchemaFolders(builtin, manifests or crd.crd_manifests(cache), cache)


def check_schema(
    objects: Iterable[Obj], kubernetes_version: str, cache: Path, manifests: Path | None = None
) -> list[Problem]:
    """Everything about `objects` that the API server of that version would refuse for its form.

    Never raises for what an object, a version or the CRD folder holds; the arguments are those of
    `schema_folders`.
    """
    try:
        folders = schema_folders(kubernetes_version, cache, manifests)
    except ProblemsError as error:
        return list(error.problems)
    problems: dict[Problem, None] = {}  # missing CRDs are said once, not for each custom resource
    for obj in objects:
        body = obj.body
        try:
            validator = _validator(folders, body["apiVersion"], body["kind"])
        except ProblemsError as error:
            problems |= dict.fromkeys(error.problems)
        else:
            if validator is None:
                problems[_unknown(obj, folders)] = None
            elif not _is_valid(validator, body):
                problems |= dict.fromkeys(_mismatches(obj, validator, folders))
        for message, hint in metadata_faults(body):
            problems[_problem(NAME, message, hint, obj)] = None
    return list(problems)


@cache
def _validator(folders: SchemaFolders, api_version: str, kind: str) -> Validator | None:
    """The compiled schema of a kind, None if there is none. ProblemsError DC-SCH-003 without CRDs."""
    from jsonschema_rs import validator_for  # 25 ms that only this check needs

    path = _schema_file(folders, api_version, kind)
    return validator_for(path.read_text(encoding="utf-8")) if path else None


def _schema_file(folders: SchemaFolders, api_version: str, kind: str) -> Path | None:
    if not (kind.isalnum() and kind.isascii()):
        return None
    builtin = folders.builtin / schema_builtin.file_name(kind, api_version)
    if builtin.is_file():
        return builtin
    if not _is_custom(api_version):
        return None
    custom = _crd_schemas(folders.manifests, folders.cache) / crd.file_name(kind, api_version)
    return custom if custom.is_file() else None


def _is_custom(api_version: str) -> bool:
    """Whether a CRD can have this group: its name must have a dot."""
    return "." in api_version.partition("/")[0] and "/" in api_version


@cache
def _crd_schemas(manifests: Path, cache_folder: Path) -> Path:
    return crd.crd_schemas(manifests, cache_folder)


def _is_valid(validator: Validator, body: Body) -> bool:
    try:
        return validator.is_valid(body)
    except ValueError:  # no JSON at all, like a map whose keys are numbers
        return False


def _mismatches(obj: Obj, validator: Validator, folders: SchemaFolders) -> Iterator[Problem]:
    from generator.check.schema_words import faults  # only when something is wrong

    path = _schema_file(folders, obj.body["apiVersion"], obj.kind)
    assert path is not None, "it was compiled from this file"
    schema = loads(path.read_bytes())
    try:
        errors = list(validator.iter_errors(obj.body))
    except ValueError as error:
        yield _problem(MISMATCH, f"it cannot be written as JSON: {error}", "put keys in quotes", obj)
    else:
        for message, hint in faults(errors, schema):
            yield _problem(MISMATCH, message, hint, obj)


def _unknown(obj: Obj, folders: SchemaFolders) -> Problem:
    from generator.check.schema_words import similar  # only when something is wrong

    api_version: str = obj.body["apiVersion"]
    kinds = _kinds(folders)
    if obj.kind in kinds:
        hint = f"{obj.kind} is known as {', '.join(kinds[obj.kind])}"
    else:
        near = similar(obj.kind, sorted(kinds))
        hint = (
            near if near.startswith("did you mean") else "add its CustomResourceDefinition (docs/schemas.md)"
        )
    return _problem(UNKNOWN_KIND, f"there is no schema for {obj.kind} in {api_version}", hint, obj)


def _kinds(folders: SchemaFolders) -> dict[str, list[str]]:
    """kind → apiVersions, over built-in and custom ones."""
    kinds: dict[str, list[str]] = loads((folders.builtin / INDEX).read_bytes())
    try:
        custom = _crd_schemas(folders.manifests, folders.cache)
    except ProblemsError:
        return kinds
    for kind, versions in loads((custom / INDEX).read_bytes()).items():
        kinds.setdefault(kind, []).extend(versions)
    return kinds


def _problem(code: str, message: str, hint: str, obj: Obj) -> Problem:
    return Problem(code, message, hint, Place(obj.source), str(obj.identity))
