"""What the committed stacks were made from: jsii, which takes seconds to start, need not run to know it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from generator.config.infrastructure import Infrastructure

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ORDER = ("bootstrap", "network", "data", "cluster", "identity", "edge")
"""Lifecycles, a stack each: each builds only on those before it."""
RECORD = ".synthesized.json"
CONFIG = ("aws", "base", "cluster", "database", "edge", "infrastructure", "names", "workloads")
"""Modules of `generator.config` whose properties stacks read."""
FACTS = ("ec2", "kubernetes", "rds")
"""Modules of `generator.facts` that stacks read, each with its file of data."""


def program_digest() -> str:
    """A SHA-256 of everything but the environment that decides what is synthesized."""
    files = [
        *sorted(HERE.rglob("*.py")),
        *(ROOT / "generator" / "config" / f"{name}.py" for name in CONFIG),
        *(ROOT / "generator" / "facts" / f"{name}.py" for name in FACTS),
        *(ROOT / "generator" / "facts" / "data" / f"{name}.json" for name in FACTS),
        HERE.parent / "requirements.lock",
    ]
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return whole.hexdigest()


def inputs_digest(infrastructure: Infrastructure, program: str) -> str:
    """A SHA-256 of all that an environment's stacks are made from."""
    return hashlib.sha256(f"{program} {infrastructure.digest()}".encode()).hexdigest()


def recorded(folder: Path) -> str:
    """The digest of what `clusters/<env>/terraform` was made from; empty if it does not say."""
    try:
        return str(json.loads((folder / RECORD).read_text())["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def record(digest: str) -> bytes:
    """The record's content."""
    return (json.dumps({"inputs": digest}, indent=2) + "\n").encode()
