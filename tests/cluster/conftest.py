"""A test bed for the session; its programs are big, so the quick run leaves these tests out."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import applications, bootstrap, programs
from cluster.bed import Bed, crd_manifests, find_assets
from cluster.errors import BedError
from cluster.repository import Repository

HERE = Path(__file__).parent
ENVIRONMENT = "dev"

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: needs a control plane's programs, redis-server and git")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of the control plane's programs. In CI it is a failure if anything is missing."""
    try:
        crd_manifests()
        for name in programs.SYSTEM:
            programs.on_path(name)
        return find_assets()
    except BedError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def bed(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """The session's full test bed of dev; Argo CD runs and has nothing to do yet."""
    with Bed(ENVIRONMENT, tmp_path_factory.mktemp("bed") / "dev", assets=assets) as running:
        yield running


@pytest.fixture(scope="session")
def repository(bed: Bed) -> Repository:
    """The repository that Argo CD reads in `bed`, bootstrapped; the sync has just begun."""
    made = Repository(bed.root, bed.folder, bed.environment)
    made.create()
    bootstrap.run(bed, made)
    return made


@pytest.fixture(scope="session")
def synced(bed: Bed, repository: Repository) -> Bed:
    """`bed` with the environment's whole tree in it, Synced and Healthy."""
    applications.wait_healthy(bed)
    return bed


@pytest.fixture
def namespace(bed: Bed) -> Iterator[str]:
    """An empty namespace."""
    name = f"test-{next(_numbers)}"
    bed.api.create("v1/namespaces", {"metadata": {"name": name}})
    yield name
    bed.api.delete("v1/namespaces", name)
