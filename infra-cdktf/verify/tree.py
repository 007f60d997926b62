"""Stacks as files: those that are committed, and copies of them to run Terraform in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dhakacart_infra.output import STACK_FILE, folder_of

Stack = dict[str, Any]
"""A parsed cdk.tf.json."""
Key = tuple[str, str]
"""(environment, lifecycle)."""


class NoStacksError(Exception):
    """There is nothing to verify; the message says what makes it."""


def committed(root: Path, environment: str, order: tuple[str, ...]) -> dict[Key, Stack]:
    """The stacks of an environment that are in `clusters/`, in the order of `order`."""
    folder = folder_of(root, environment)
    missing = [lifecycle for lifecycle in order if not (folder / lifecycle / STACK_FILE).is_file()]
    if missing:
        raise NoStacksError(
            f"{folder} has no {', '.join(missing)}: is {environment} an environment? `make infra` writes it"
        )
    files = {lifecycle: folder / lifecycle / STACK_FILE for lifecycle in order}
    return {(environment, lifecycle): json.loads(file.read_text()) for lifecycle, file in files.items()}


def environments(root: Path) -> list[str]:
    """Names of the environments."""
    return sorted(file.stem for file in (root / "environments").glob("*.yaml"))


def copy(stack: Mapping[str, Any], folder: Path, *, override: Mapping[str, Any] | None = None) -> Path:
    """Write a stack into a folder of its own, with what overrides it beside; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STACK_FILE).write_text(json.dumps(stack, indent=2))
    if override:
        (folder / "zz_override.tf.json").write_text(json.dumps(override, indent=2))
    return folder
