"""What is installed is pinned, by hash, and from wherever the user's pip looks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = [
    REPOSITORY / "requirements.lock",
    *sorted(REPOSITORY.glob("service/*.lock")),
    *sorted(REPOSITORY.glob("tools/*.lock")),
]
NAME = re.compile(r"^[A-Za-z0-9._-]+")
PIN = re.compile(r"^([a-z0-9._-]+)==\S+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.MULTILINE)


def normal(name: str) -> str:
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_line_is_a_pin_with_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    left = re.sub(r"^\s*#.*\n", "", PIN.sub("", text), flags=re.MULTILINE)
    assert left.strip() == ""
    assert "://" not in text


def test_every_dependency_is_locked() -> None:
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    names = {normal(found[0]) for one in wanted if (found := NAME.match(one))}
    locked = {normal(name) for name in PIN.findall(LOCKS[0].read_text(encoding="utf-8"))}
    assert names - locked == set()
