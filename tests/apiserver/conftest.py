"""A control plane for tests; its programs are big, so the quick run leaves these tests out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apiserver.control_plane import VARIABLE, find_assets

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of the control plane's programs. In CI its absence is a failure."""
    found = find_assets()
    if found is None:
        reason = f"{VARIABLE} names no folder with kube-apiserver and etcd"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found
