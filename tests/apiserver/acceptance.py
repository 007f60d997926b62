"""Applying the committed tree of an environment to a control plane, as strictly as an API server can."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from apiserver.control_plane import ControlPlane, KubectlError

FIRST = ("namespace", "priorityclass", "storageclass", "gatewayclass", "validatingadmissionpolicy")
"""Kinds that others need, by the first word of their file name; the rest follows in one go."""

SKEW = re.compile(
    r"version difference between client .* and server .* exceeds the supported minor version skew"
)
"""kubectl's remark on its own age: the only warning that says nothing about an object."""

STRICT = ("apply", "--server-side", "--validate=strict")


def tree(environment: Path) -> list[Path]:
    """Every object of `clusters/<env>`, what others need first."""
    files = [
        path for part in ("manifests", "argocd") for path in sorted((environment / part).rglob("*.yaml"))
    ]
    return sorted(files, key=_rank)


def apply(cluster: ControlPlane, files: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Apply files in order; (what was refused, what was warned of), both empty if all is well."""
    refused: list[str] = []
    warned: list[str] = []
    for group in _groups(files):
        try:
            answer = cluster.kubectl(*STRICT, *_file_arguments(group))
        except KubectlError as error:
            refused.extend(str(error).splitlines())
        else:
            warned.extend(warnings(answer.errors))
            applied = [line for line in answer.output.splitlines() if line.endswith("serverside-applied")]
            if len(applied) != len(group):
                refused.append(f"{len(group)} files, {len(applied)} objects applied: {answer.output}")
    return refused, warned


def warnings(errors: str) -> list[str]:
    """What kubectl printed beside its output, without its remark on its own version."""
    return [line for line in errors.splitlines() if line.strip() and not SKEW.search(line)]


def resource_versions(cluster: ControlPlane, files: Iterable[Path]) -> dict[str, str]:
    """File order → the object's resourceVersion, by kind, namespace and name."""
    items: list[dict[str, Any]] = cluster.get(*_file_arguments(files))["items"]
    return {_identity(item): item["metadata"]["resourceVersion"] for item in items}


def _identity(item: dict[str, Any]) -> str:
    metadata = item["metadata"]
    return f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _file_arguments(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        yield "-f"
        yield str(path)


def _rank(path: Path) -> int:
    return next((rank for rank, kind in enumerate(FIRST) if path.name.startswith(f"{kind}-")), len(FIRST))


def _groups(files: Iterable[Path]) -> Iterator[list[Path]]:
    by_rank: dict[int, list[Path]] = {}
    for path in files:
        by_rank.setdefault(_rank(path), []).append(path)
    for rank in sorted(by_rank):
        yield by_rank[rank]
