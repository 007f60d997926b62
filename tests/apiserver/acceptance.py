"""Applying the committed tree of an environment to a control plane, as strictly as an API server can."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from apiserver.control_plane import ControlPlane, KubectlError
from generator.check.crd import manifest_files, read_crd

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


def resource_versions(cluster: ControlPlane, files: Iterable[Path]) -> dict[tuple[str, str, str], str]:
    """(kind, namespace, name) → resourceVersion of each object, which every write raises."""
    items: list[dict[str, Any]] = cluster.get(*_file_arguments(files))["items"]
    return {_identity(item): item["metadata"]["resourceVersion"] for item in items}


def crds_by_kind(manifests: Path) -> dict[tuple[str, str], Path]:
    """(group, kind) → the file of its CustomResourceDefinition."""
    return {(crd["spec"]["group"], crd["spec"]["names"]["kind"]): path for path, crd in _crds(manifests)}


def kinds_with_default_status(manifests: Path) -> set[str]:
    """Kinds whose CRD gives `status` a default: the API server writes it down at the second apply."""
    return {
        crd["spec"]["names"]["kind"]
        for _, crd in _crds(manifests)
        for version in crd["spec"]["versions"]
        if "default" in version["schema"]["openAPIV3Schema"]["properties"].get("status", {})
    }


def kinds(files: Iterable[Path]) -> set[tuple[str, str]]:
    """(group, kind) of the objects in files."""
    objects = (yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in files)
    return {(found["apiVersion"].rpartition("/")[0], found["kind"]) for found in objects}


def _crds(manifests: Path) -> list[tuple[Path, dict[str, Any]]]:
    return [(path, read_crd(path.read_bytes(), path)) for path in manifest_files(manifests)]


def _identity(item: dict[str, Any]) -> tuple[str, str, str]:
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace", ""), metadata["name"]


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
