"""Synthesized stacks as files of `clusters/<env>/terraform`: only what differs is written, atomically."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dhakacart_infra.inputs import RECORD, record

STACK_FILE = "cdk.tf.json"


def folder_of(root: Path, environment: str) -> Path:
    """Where an environment's stacks are committed."""
    return root / "clusters" / environment / "terraform"


def write(folder: Path, stacks: dict[str, bytes], digest: str) -> list[str]:
    """Bring the folder to these stacks (lifecycle → content); what was added, changed or removed, in words.

    The record comes last: after a crash the next run does all of it again.
    """
    told = []
    for lifecycle, content in stacks.items():
        path = folder / lifecycle / STACK_FILE
        before = path.read_bytes() if path.is_file() else None
        if before != content:
            _replace(path, content)
            told.append(f"{'added' if before is None else 'changed'} {lifecycle}")
    for old in sorted(each for each in folder.glob("*/") if each.name not in stacks):
        shutil.rmtree(old)
        told.append(f"removed {old.name}")
    _replace(folder / RECORD, record(digest))
    return told


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    os.replace(fresh, path)  # noqa: PTH105 -- Path.replace is the same
