"""Derived schema files: written once for each content, then only read."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
Files = Mapping[str, Schema]

DRAFT = "http://json-schema.org/draft-07/schema#"
"""Of every derived schema: the last draft in which `format` is a demand, so that all validators check it."""

INDEX = "index.json"
"""Beside the schemas: kind → the apiVersions that it has, for hints."""


def digest(rules: str, parts: Iterable[bytes]) -> str:
    """A short name for what is derived from `parts` by the module at path `rules`.

    20 hexadecimal digits of SHA-256 over the code of both modules, which decides as much as the input, and
    the parts, kept apart by their lengths.
    """
    total = hashlib.sha256()
    for part in (Path(__file__).read_bytes(), Path(rules).read_bytes(), *parts):
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()[:20]


def derive_once(folder: Path, make: Callable[[], Files]) -> Path:
    """`folder`, filled with the files of `make` (relative path → JSON) unless it is there already.

    A temporary folder beside it is renamed when complete, so that nobody reads half of it, and of two
    processes that derive at once the first wins.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        for name, schema in make().items():
            path = unfinished / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True), encoding="utf-8")
        _rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _rename(unfinished: Path, folder: Path) -> None:
    unfinished.chmod(0o755)
    try:
        unfinished.replace(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster with the same content
            raise


# Rules that the API server applies beyond what its published schemas say.

BASE64 = r"^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$"
QUANTITY = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"


def bounded(schema: Schema) -> Schema:
    """The schema with `format: int32` and `format: byte` spelt out in words that every validator knows."""
    match schema.get("format"):
        case "int32":
            limits = {"minimum": -(2**31), "maximum": 2**31 - 1}
            return {key: value for key, value in {**limits, **schema}.items() if key != "format"}
        case "int64":
            return {key: value for key, value in schema.items() if key != "format"}
        case "byte":
            return {key: value for key, value in {"pattern": BASE64, **schema}.items() if key != "format"}
    return schema
