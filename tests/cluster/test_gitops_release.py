"""Bad commits: each stops where it is, what runs goes on, Argo CD says what is wrong, and Git mends it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cluster import applications
from cluster.api import Object
from cluster.bed import Bed
from cluster.gitops_health import BINARY
from cluster.gitops_story import item, left_as_found, push
from cluster.repository import Repository

SHOP, BACKEND, FRONTEND, MONITORS, LOKI = "shop", "shop-backend", "shop-frontend", "monitors", "loki"
BROKEN = {BACKEND, FRONTEND, MONITORS}
DEPLOYMENTS, JOBS, PODS = "apps/v1/deployments", "batch/v1/jobs", "v1/pods"
PODMONITORS = "monitoring.coreos.com/v1/podmonitors"

MIGRATION = f"manifests/{BACKEND}/job-shop-migrate.yaml"
RELEASE = f"manifests/{BACKEND}/deployment-{BACKEND}.yaml"
SERVICE = f"manifests/{FRONTEND}/service-{FRONTEND}.yaml"
SCRAPED = f"manifests/{LOKI}/podmonitor-{LOKI}.yaml"
UNREADABLE = f"manifests/{MONITORS}/unreadable.yaml"

SECONDS = 45
RETRIED = 90  # the first retry comes after 20 s, the second 40 s later
TOLD = 3  # after so many retries Slack is told


@dataclass(frozen=True, slots=True)
class Mishap:
    """Bad commits in four Applications, synced as far as that goes. `pods` are the backend's from before."""

    revision: str
    pods: set[str]
    backend: Object
    frontend: Object


@pytest.fixture(scope="module")
def mishap(synced: Bed, repository: Repository) -> Iterator[Mishap]:
    """A release whose migration fails; beside it a Service that is none, no YAML, a good edit."""
    applications.wait_healthy(synced)
    pods = _pods(synced)
    port = re.compile(r"(?m)^      port: .*$")
    with left_as_found(synced, repository):
        failing = _edited(repository, MIGRATION, "bed/fail", backoff=0)
        push(repository, {MIGRATION: failing, RELEASE: _release(repository)}, "a release")
        others = {
            SERVICE: port.sub("      port: 0", repository.read(SERVICE), count=1),
            UNREADABLE: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x",
            SCRAPED: repository.read(SCRAPED).replace("spec:\n", "spec:\n  sampleLimit: 7\n", 1),
        }
        revision = push(repository, others, "other edits")
        found: dict[str, Object] = {}  # the first moment that shows it: see argoproj/argo-cd#28722

        def look() -> bool:
            for name, shows in ((BACKEND, _retries), (FRONTEND, _complaints)):
                if name not in found and shows(seen := item(synced, name)):
                    found[name] = seen
            return len(found) == 2

        synced.wait_until(look, lambda: f"both bad edits are told of; so far: {sorted(found)}", SECONDS)
        yield Mishap(revision, pods, found[BACKEND], found[FRONTEND])


def test_a_failing_migration_leaves_the_old_release_serving(synced: Bed, mishap: Mishap) -> None:
    deployment = synced.api.get(DEPLOYMENTS, BACKEND, SHOP)
    assert _level(deployment) == "info", "nothing of the release was applied"
    assert deployment["status"]["availableReplicas"] == deployment["spec"]["replicas"] >= 1
    assert mishap.pods <= _pods(synced), "not one pod was restarted"


def test_a_failing_migration_is_told(mishap: Mishap) -> None:
    status = mishap.backend["status"]
    done = status["operationState"]
    hooks = [each for each in done["syncResult"]["resources"] if each.get("hookType") == "PreSync"]
    assert [(each["kind"], each["name"], each["hookPhase"]) for each in hooks] == [
        ("Job", "shop-migrate", "Failed")
    ]
    assert "backoff limit" in hooks[0]["message"]
    assert "Retrying attempt" in done["message"]
    assert status["sync"]["status"] == "OutOfSync"


def test_slack_is_told_after_some_retries_and_not_at_the_first(
    synced: Bed, mishap: Mishap, tmp_path: Path
) -> None:
    early, late, healed = mishap.backend, _retried(mishap.backend, TOLD), item(synced, LOKI)
    assert [_is_told(synced, each, tmp_path) for each in (early, late, healed)] == [False, True, False]
    message = _notifications(synced, late, tmp_path, "template", "notify", "app-sync-failed")
    assert "*shop-backend* in dev could not be synced" in message
    assert "Job/shop-migrate: Job has reached the specified backoff limit" in message


def test_slack_is_told_what_the_api_server_refused(synced: Bed, mishap: Mishap, tmp_path: Path) -> None:
    assert _is_told(synced, mishap.frontend, tmp_path)
    message = _notifications(synced, mishap.frontend, tmp_path, "template", "notify", "app-sync-failed")
    assert "*shop-frontend* in dev could not be synced" in message
    assert f'Service "{FRONTEND}" is invalid' in message


def test_a_broken_object_stops_its_own_application_and_says_so(synced: Bed, mishap: Mishap) -> None:
    told = _complaints(mishap.frontend)
    assert f'Service "{FRONTEND}" is invalid: spec.ports[0].port' in told
    assert _port(synced.api.get("v1/services", FRONTEND, SHOP)) > 0
    deployment = synced.api.get(DEPLOYMENTS, FRONTEND, SHOP)
    assert deployment["status"]["availableReplicas"] == deployment["spec"]["replicas"]


def test_all_other_applications_go_on(synced: Bed, mishap: Mishap) -> None:
    others = set(applications.all_of(synced.api)) - BROKEN
    applications.wait_healthy(synced, others, revision=mishap.revision, timeout=SECONDS)
    assert synced.api.get(PODMONITORS, LOKI, "monitoring")["spec"]["sampleLimit"] == 7


def test_a_file_that_cannot_be_read_changes_nothing(
    synced: Bed, repository: Repository, mishap: Mishap
) -> None:
    before = applications.all_of(synced.api)[MONITORS]
    assert before.revision != mishap.revision, "Argo CD waits three minutes until it says so"
    files = (repository.tree / "manifests" / MONITORS).glob("podmonitor-*.yaml")
    names = {yaml.safe_load(path.read_text())["metadata"]["name"] for path in files}
    there = {each["metadata"]["name"] for each in synced.api.list(PODMONITORS, "monitoring")}
    assert names
    assert names <= there, "what cannot be read is not taken for removed"


def test_a_revert_rolls_back_and_a_mended_migration_releases(
    synced: Bed, repository: Repository, mishap: Mishap
) -> None:
    repository.revert()
    mended = _edited(repository, MIGRATION, "bed/mended", backoff=2)
    revision = push(repository, {MIGRATION: mended}, "the migration, mended")
    applications.wait_healthy(synced, revision=revision, timeout=RETRIED)
    assert "sampleLimit" not in synced.api.get(PODMONITORS, LOKI, "monitoring")["spec"]
    assert _port(synced.api.get("v1/services", FRONTEND, SHOP)) > 0
    deployment, job = synced.api.get(DEPLOYMENTS, BACKEND, SHOP), synced.api.get(JOBS, "shop-migrate", SHOP)
    assert _level(deployment) == "debug", "the release is out"
    assert job["status"]["succeeded"] == 1
    assert not mishap.pods & _pods(synced), "all pods are of the release"
    newest = max(synced.api.list("apps/v1/replicasets", SHOP, labels=_labels(BACKEND)), key=_created)
    assert job["status"]["completionTime"] <= _created(newest), "the migration was through before"


def _edited(repository: Repository, name: str, annotation: str, backoff: int) -> str:
    job = yaml.safe_load(repository.read(name))
    job["spec"]["backoffLimit"] = backoff
    job["spec"]["template"]["metadata"]["annotations"] = {annotation: "1"}
    return yaml.safe_dump(job)


def _release(repository: Repository) -> str:
    text = repository.read(RELEASE)
    release = re.sub(r"(- name: SHOP_LOG_LEVEL\n\s+value: )info", r"\1debug", text)
    assert release != text
    return release


def _level(deployment: Object) -> str:
    environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return next(str(each["value"]) for each in environment if each["name"] == "SHOP_LOG_LEVEL")


def _pods(bed: Bed) -> set[str]:
    """The backend's pods that are not ending, by uid."""
    found = bed.api.list(PODS, SHOP, labels=_labels(BACKEND))
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def _labels(name: str) -> str:
    return f"app.kubernetes.io/name={name}"


def _created(found: Object) -> str:
    return str(found["metadata"]["creationTimestamp"])


def _port(service: Object) -> int:
    return int(service["spec"]["ports"][0]["port"])


def _retries(found: Object) -> int:
    return int(found["status"].get("operationState", {}).get("retryCount", 0))


def _complaints(found: Object) -> str:
    conditions = found["status"].get("conditions", [])
    return " | ".join(each["message"] for each in conditions if each["type"] == "ComparisonError")


def _retried(found: Object, times: int) -> Object:
    """An Application whose sync was tried again so often."""
    status = found["status"]
    return {
        **found,
        "status": {**status, "operationState": {**status["operationState"], "retryCount": times}},
    }


def _notifications(bed: Bed, found: Object, folder: Path, *command: str) -> str:
    """What Argo CD's own notifications engine says of an Application: `*command` as in its help."""
    base = bed.root / "clusters" / bed.environment.name
    told = yaml.safe_load((base / "values" / "argo-cd.yaml").read_text())["notifications"]
    parts = {**told["notifiers"], **told["templates"], **told["triggers"]}
    metadata = {"name": "argocd-notifications-cm", "namespace": "argocd"}
    data = {**parts, "context": yaml.safe_dump(told["context"])}
    config, file = folder / "notifications.yaml", folder / "application.yaml"
    config.write_text(
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    )
    file.write_text(yaml.safe_dump(found))
    program: list[str | Path] = [bed.assets / "argocd", "admin", "notifications", *command, file]
    done = subprocess.run(
        [
            *(*program, "--config-map", config, "--secret", ":empty"),
            *("--kubeconfig", bed.kubeconfig, "--namespace", "argocd"),
        ],
        env={**os.environ, **BINARY, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"argocd admin notifications: {done.stdout}{done.stderr}"
    return done.stdout


def _is_told(bed: Bed, found: Object, folder: Path) -> bool:
    """Whether Slack is told that the sync of an Application failed."""
    said = _notifications(bed, found, folder, "trigger", "run", "on-sync-failed")
    results = re.findall(r"(?m)\s(true|false)\s*$", said)
    assert results, said
    return "true" in results
