"""Each AppProject refuses a foreign repository, namespace and kind; `default` allows nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.api import Object
from cluster.applications import APPLICATIONS, NAMESPACE
from cluster.bed import Bed
from cluster.gitops_refusals import OBJECTS, Refusal, refusals
from cluster.gitops_story import item, left_as_found, push
from cluster.repository import Repository

PROJECTS = "argoproj.io/v1alpha1/appprojects"
SECONDS = 30

Tried = list[tuple[Refusal, Object]]


@pytest.fixture(scope="module")
def tried(synced: Bed, repository: Repository) -> Iterator[Tried]:
    """Every Application that is to be refused, once Argo CD has judged it."""
    projects = {each["metadata"]["name"]: each["spec"] for each in synced.api.list(PROJECTS, NAMESPACE)}
    wanted = list(refusals(repository, projects))
    with left_as_found(synced, repository):
        push(repository, OBJECTS, "objects of kinds that nobody allows")
        try:
            for each in wanted:
                synced.api.create(APPLICATIONS, each.manifest(), NAMESPACE)
            unjudged = list(wanted)

            def all_judged() -> bool:
                unjudged[:] = [each for each in unjudged if not _judged(item(synced, each.name), each)]
                return not unjudged

            synced.wait_until(all_judged, lambda: f"judged: {[each.name for each in unjudged]}", SECONDS)
            yield [(each, item(synced, each.name)) for each in wanted]
        finally:
            for each in wanted:
                synced.api.delete(APPLICATIONS, each.name, NAMESPACE)


def test_every_project_refuses_what_is_not_its_own(tried: Tried) -> None:
    assert {each.project for each, _ in tried} == {"default", "monitoring", "platform", "root", "shop"}
    missed = [
        f"{each.name}: wanted {words!r}, got {_said(found)}"
        for each, found in tried
        for words in each.words
        if words not in _said(found)
    ]
    assert not missed, "\n" + "\n".join(missed)


def test_it_is_the_foreign_part_that_is_refused(tried: Tried) -> None:
    for each, found in tried:
        if not each.words:
            assert "InvalidSpecError" not in _conditions(found), f"{each.name}: {_said(found)}"
            assert found["status"]["sync"]["status"] == "OutOfSync", f"{each.name}: {_said(found)}"


def test_nothing_of_what_was_refused_was_made(synced: Bed, tried: Tried) -> None:
    assert synced.api.list("v1/podtemplates") == []
    assert synced.api.find("networking.k8s.io/v1/ingressclasses", "refused") is None
    for each, found in tried:
        if each.sync:
            assert found["status"]["operationState"]["phase"] == "Failed", each.name


def test_the_projects_themselves_allow_nothing_by_pattern(synced: Bed) -> None:
    for project in synced.api.list(PROJECTS, NAMESPACE):
        assert "*" not in str(project["spec"]), project["metadata"]["name"]


def _judged(found: Object, refusal: Refusal) -> bool:
    status = found.get("status", {})
    if refusal.sync:
        return status.get("operationState", {}).get("phase") in ("Failed", "Error", "Succeeded")
    return bool(status.get("conditions")) or status.get("sync", {}).get("status") in ("OutOfSync", "Synced")


def _conditions(found: Object) -> list[str]:
    return [each["type"] for each in found.get("status", {}).get("conditions", [])]


def _said(found: Object) -> str:
    status = found.get("status", {})
    operation = status.get("operationState", {})
    results = operation.get("syncResult", {}).get("resources", [])
    texts = [each["message"] for each in (*status.get("conditions", []), *results)]
    return " | ".join([*texts, operation.get("message", "")])
