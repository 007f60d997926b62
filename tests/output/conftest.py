"""What the tests of writing share: a small tree, and what is on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Files = dict[str, bytes]


@pytest.fixture
def old_tree() -> Files:
    """What is rendered first."""
    return {
        "manifests/backend/deployment-backend.yaml": rendered(
            "apps/backend/deployment.yaml.j2", "replicas: 3"
        ),
        "manifests/backend/service-backend.yaml": rendered("apps/backend/service.yaml.j2", "port: 80"),
        "manifests/legacy/job-legacy.yaml": rendered("apps/legacy/job.yaml.j2", "parallelism: 1"),
        "values/loki.yaml": rendered("apps/loki/values.yaml.j2", "enabled: true"),
    }


@pytest.fixture
def new_tree(old_tree: Files) -> Files:
    """What is rendered later: one file changed, two new ones in new folders, one gone with its folder."""
    tree = {path: content for path, content in old_tree.items() if "legacy" not in path}
    tree["manifests/backend/deployment-backend.yaml"] = rendered(
        "apps/backend/deployment.yaml.j2", "replicas: 5"
    )
    tree["manifests/frontend/service-frontend.yaml"] = rendered("apps/frontend/service.yaml.j2", "port: 81")
    tree["argocd/root.yaml"] = rendered("apps/argo-cd/root.yaml.j2", "prune: true")
    return tree


@pytest.fixture
def on_disk() -> Callable[[Path], Files]:
    """Every file below a folder, by its path there: what a failed run must leave as it was."""

    def read(folder: Path) -> Files:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return read


def rendered(source: str, body: str) -> bytes:
    """A file as rendering makes it."""
    return f"# Rendered from {source}; edit that and run `make render`.\n{body}\n".encode()
