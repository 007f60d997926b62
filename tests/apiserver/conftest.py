"""A control plane for tests; its programs are big, so the quick run leaves these tests out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apiserver.control_plane import VARIABLE, find_assets

ROOT = Path(__file__).parents[2]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "apiserver: needs the programs of KUBEBUILDER_ASSETS")


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of the control plane's programs. In CI its absence is a failure."""
    found = find_assets()
    if found is None:
        reason = f"{VARIABLE} names no folder with kube-apiserver and etcd"
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    return found
