"""From nothing: Argo CD made everything that is in Git, wave after wave, told from what it wrote down."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cluster import applications
from cluster.bed import Bed
from cluster.gitops_story import Event, events, item, too_early
from cluster.repository import Repository


@pytest.fixture(scope="module")
def waves(synced: Bed, repository: Repository) -> dict[str, int]:
    """Application → its wave, without the root, which is the one that makes the waves."""
    names = {
        path.stem.removeprefix("application-") for path in (repository.tree / "argocd").glob("app*-*.yaml")
    }
    found = applications.all_of(synced.api)
    return {name: found[name].wave for name in names & set(found) - {"root"}}


@pytest.fixture(scope="module")
def story(synced: Bed) -> list[Event]:
    """All that Argo CD said since the bootstrap."""
    return events(synced.api)


def test_a_wave_begins_when_all_before_it_are_synced_and_healthy(
    story: list[Event], waves: dict[str, int]
) -> None:
    assert len(set(waves.values())) > 4, "the tree has waves"
    assert too_early(story, waves) == []


def test_projects_are_there_before_the_first_application(synced: Bed, waves: dict[str, int]) -> None:
    projects = synced.api.list("argoproj.io/v1alpha1/appprojects", "argocd")
    uids = {each["metadata"]["name"]: each["metadata"]["creationTimestamp"] for each in projects}
    first = min(item(synced, name)["metadata"]["creationTimestamp"] for name in waves)
    assert {"default", "platform", "monitoring", "shop", "root"} <= set(uids)
    assert max(uids.values()) <= first


def test_the_migration_was_through_before_the_first_pod_of_the_shop(synced: Bed) -> None:
    told = synced.api.list("v1/events", "shop")
    order = {
        (each["involvedObject"]["kind"], each["involvedObject"]["name"], each["reason"]): int(
            each["metadata"]["resourceVersion"]
        )
        for each in sorted(told, key=lambda each: -int(each["metadata"]["resourceVersion"]))
    }
    migrated = order["Job", "shop-migrate", "Completed"]
    assert migrated < order["Deployment", "shop-backend", "ScalingReplicaSet"]


def test_every_object_of_git_is_there_and_belongs_to_its_application(
    synced: Bed, repository: Repository, waves: dict[str, int]
) -> None:
    for name in waves:
        managed = set(applications.resources(item(synced, name)))
        wanted = {_name(path) for path in (repository.tree / "manifests" / name).glob("*.yaml")}
        assert wanted <= managed, name


def _name(path: Path) -> str:
    body = yaml.safe_load(path.read_text())
    return f"{body['kind']}/{body['metadata']['name']}"
