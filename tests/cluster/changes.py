"""What is different between two looks at the objects that Argo CD manages, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.api import Api, ApiError, Object
from cluster.applications import APPLICATIONS, NAMESPACE

Key = tuple[str, str, str]
"""(kind, namespace, name)"""

NOBODYS = (
    "status",
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "operation",
)
"""Fields that nobody writes into Git."""

ANNOTATIONS = ("kubectl.kubernetes.io/", "deployment.kubernetes.io/", "argocd.argoproj.io/refresh")


@dataclass(frozen=True, slots=True)
class Change:
    """One object: `what` is added, removed, made anew or changed; `fields` are `path: before → after`."""

    what: str
    key: Key
    fields: tuple[str, ...] = ()


def look(api: Api) -> dict[Key, Object]:
    """Every object that an Application manages."""
    wanted: dict[str, set[Key]] = {}
    for item in api.list(APPLICATIONS, NAMESPACE):
        for each in item.get("status", {}).get("resources", []):
            version = "/".join(filter(None, (each.get("group", ""), each["version"])))
            key = (each["kind"], each.get("namespace", ""), each["name"])
            wanted.setdefault(f"{version} {each['kind']}", set()).add(key)
    found: dict[Key, Object] = {}
    for kind, keys in wanted.items():
        version, _, name = kind.partition(" ")
        found |= {key: item for key, item in _all(api, version, name) if key in keys}
    return found


def compare(before: dict[Key, Object], after: dict[Key, Object]) -> list[Change]:
    """Changes from one look to the next, by kind and name."""
    made = [Change("added", key) for key in after.keys() - before.keys()]
    gone = [Change("removed", key) for key in before.keys() - after.keys()]
    both = [_change(key, before[key], after[key]) for key in after.keys() & before.keys()]
    return sorted([*made, *gone, *filter(None, both)], key=lambda change: change.key)


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """`path: before → after` of every leaf that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {_short(before)} → {_short(after)}"


def _change(key: Key, before: Object, after: Object) -> Change | None:
    if before["metadata"]["uid"] != after["metadata"]["uid"]:
        return Change("made anew", key)  # a hook, mostly: Jobs cannot be changed
    fields = tuple(differences(_own(before), _own(after)))
    return Change("changed", key, fields) if fields else None


def _all(api: Api, version: str, kind: str) -> Iterator[tuple[Key, Object]]:
    try:
        plural = api.plural(version, kind)
        items = api.list(f"{version}/{plural}")
    except (ApiError, KeyError):
        return
    for item in items:
        metadata = item["metadata"]
        yield (kind, metadata.get("namespace", ""), metadata["name"]), item


def _own(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key not in NOBODYS}
    annotations = {
        key: value
        for key, value in metadata.get("annotations", {}).items()
        if not key.startswith(ANNOTATIONS)
    }
    return {key: value for key, value in item.items() if key not in NOBODYS} | {
        "metadata": metadata | {"annotations": annotations}
    }


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
