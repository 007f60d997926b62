"""The house: rooms import one way, and the quick path stays free of what is slow to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
GENERATOR = REPOSITORY / "generator"
ROOMS = ("facts", "config", "render", "argocd", "check", "output", "report", "edit", "cli")
# Beside the rooms: shapes that all may use, and the one place that puts rooms together for the command line.
LEAVES = {"problem", "problem_text", "repository"}
ABOVE_ALL_BUT_CLI = {"workflow"}
MODULES = sorted(GENERATOR.rglob("*.py"))


def rank(name: str) -> int:
    """Position in the order of rooms; a later one may import an earlier one."""
    if name in LEAVES or not name:
        return -1
    return len(ROOMS) - 1.5 if name in ABOVE_ALL_BUT_CLI else ROOMS.index(name)  # type: ignore[return-value]


def imported(path: Path) -> Iterator[str]:
    """Modules of the generator that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("generator"):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("generator"))


def room(module: str) -> str:
    """`generator.check.run` → `check`."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_run_one_way(path: Path) -> None:
    own = room(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
    wrong = [module for module in imported(path) if rank(room(module)) > rank(own)]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_file_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_render_path_never_imports_what_is_slow() -> None:
    code = "import sys; import generator.workflow; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    slow = {
        "cdktf",
        "jsii",
        "kubernetes_validate",
        "jsonschema",
        "ruamel.yaml",
        "asyncio",
        "requests",
        "rich",
    }
    assert not slow & set(loaded)


def test_nothing_of_the_machine_is_in_the_tree() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    texts = [name for name in tracked.stdout.split("\0") if name and (REPOSITORY / name).is_file()]
    home = str(REPOSITORY).encode()
    assert [name for name in texts if home in (REPOSITORY / name).read_bytes()] == []
