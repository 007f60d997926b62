"""What the tests of checks share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache() -> Path:
    """The checkout's own cache: schemas are derived once for all runs."""
    return Path(__file__).parents[2] / ".cache"
