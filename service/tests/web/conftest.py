"""The pages as they are built, once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from web.build import build


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built storefront."""
    output = tmp_path_factory.mktemp("web") / "dist"
    build(output)
    return output
