"""A real API server takes every committed object of every environment: no refusal, no warning, no drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiserver.acceptance import (
    apply,
    crds_by_kind,
    kinds,
    kinds_with_default_status,
    resource_versions,
    tree,
    warnings,
)
from apiserver.conftest import ROOT
from apiserver.control_plane import ControlPlane, KubectlError
from apiserver.process import wait_until
from generator.check.crd import crd_manifests

pytestmark = pytest.mark.apiserver

MANIFESTS = crd_manifests(ROOT / ".cache")
CLUSTERS = ROOT / "clusters"
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "environments").glob("*.yaml"))
TYPE_CHECKER = "validatingadmissionpolicy-status-controller"
BAD_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad, namespace: shop}
spec:
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {hostNetwork: true, containers: [{name: bad, image: "nginx:latest"}]}
"""


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> Path:
    return CLUSTERS / str(request.param)


@pytest.fixture(scope="module")
def cluster(
    environment: Path, assets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A fresh API server with the CRDs of the kinds that one environment uses."""
    folder = tmp_path_factory.mktemp(environment.name)
    used = kinds(tree(environment))
    with ControlPlane(assets, folder, controllers=[TYPE_CHECKER]) as plane:
        plane.install_crds(path for kind, path in crds_by_kind(MANIFESTS).items() if kind in used)
        yield plane


@pytest.fixture(scope="module")
def applied(cluster: ControlPlane, environment: Path) -> tuple[list[str], list[str]]:
    """(refused, warned) of the first time that everything is applied."""
    return apply(cluster, tree(environment))


def test_there_is_something_to_apply(environment: Path) -> None:
    found = {kind for _, kind in kinds(tree(environment))}
    assert {"Application", "AppProject", "Deployment", "HTTPRoute", "Namespace", "NetworkPolicy"} <= found


def test_nothing_is_refused_and_nothing_warned_of(applied: tuple[list[str], list[str]]) -> None:
    assert applied == ([], [])


def test_the_expressions_of_admission_policies_type_check(
    cluster: ControlPlane, applied: tuple[list[str], list[str]]
) -> None:
    def checked() -> bool:
        return all("typeChecking" in policy.get("status", {}) for policy in policies())

    def policies() -> list[dict[str, Any]]:
        return list(cluster.get("validatingadmissionpolicies")["items"])

    wait_until(checked, "type checks of the admission policies", cluster.processes, 30)
    found = {policy["metadata"]["name"]: policy["status"]["typeChecking"] for policy in policies()}
    assert found
    assert {name: verdict for name, verdict in found.items() if verdict} == {}


def test_admission_refuses_a_bad_deployment(
    cluster: ControlPlane, applied: tuple[list[str], list[str]]
) -> None:
    """Also the sign that policies are in force before everything is applied a second time."""
    said = ""

    def refused_by_policy() -> bool:
        nonlocal said
        try:
            cluster.kubectl("create", "--dry-run=server", "-f", "-", text=BAD_DEPLOYMENT)
        except KubectlError as error:
            said = str(error)
        return "ValidatingAdmissionPolicy" in said

    wait_until(refused_by_policy, "admission policies in force", cluster.processes, 30)
    assert "denied request" in said


def test_a_second_apply_changes_nothing(
    cluster: ControlPlane, environment: Path, applied: tuple[list[str], list[str]]
) -> None:
    files = tree(environment)
    before = resource_versions(cluster, files)
    assert len(before) == len(files)
    assert apply(cluster, files) == ([], [])
    after = resource_versions(cluster, files)
    written = {identity for identity in before if after[identity] != before[identity]}
    assert {kind for kind, _, _ in written} <= kinds_with_default_status(MANIFESTS), written


def test_only_the_remark_on_its_own_age_is_no_warning() -> None:
    versions = "version difference between client (1.32) and server (1.36)"
    skew = f"WARNING: {versions} exceeds the supported minor version skew of +/-1"
    assert warnings(f"{skew}\n\n") == []
    assert warnings(f"{skew}\nWarning: would violate PodSecurity") == ["Warning: would violate PodSecurity"]
