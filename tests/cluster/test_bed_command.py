"""`make cluster` as a person sees it, and the pure parts of the test bed."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster import bootstrap, changes, charts, front, lanes, record, repository, statuses, storage, table
from cluster.applications import Application, application
from cluster.bed import ROOT, crd_kind, crd_manifests, crds_in_use
from cluster.charts import Charts
from cluster.environment import names, read
from cluster.errors import BedError
from cluster.repository import HeldBack

PACKAGES = Path(__file__).parents[1]
GOOD = Application("shop-backend", 4, "Synced", "Healthy", "Succeeded", "", "abc")
BAD = Application("edge", 3, "OutOfSync", "Degraded", "Failed", "the API server refused it", "abc")
HELD = HeldBack("edge", "gateway-helm v1.9.0", "no network", gone=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout of its own, as committed; what a test that failed left up is ended."""
    clone = tmp_path_factory.mktemp("checkout") / "platform"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)], check=True)
    yield clone
    run(clone, "down", "dev")


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(checkout, *arguments), env=environment(), capture_output=True, text=True, check=False
    )


def command(checkout: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "cluster", "--root", str(checkout), *arguments]


def environment() -> dict[str, str]:
    crds = str(crd_manifests())  # a fresh checkout has none of its own
    return {**os.environ, "PYTHONPATH": str(PACKAGES), "CRD_MANIFESTS": crds, "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("until", ["etcd, kube-apiserver", "handed over to Argo CD"])
def test_ctrl_c_ends_everything_and_what_is_not_committed_is_said(
    assets: Path, checkout: Path, until: str
) -> None:
    (checkout / "clusters/dev/argocd/root.yaml").write_text("# edited\n")
    with subprocess.Popen(
        command(checkout, "up", "dev"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if until in line:
                break
        process.send_signal(signal.SIGINT)
        said.append(process.stdout.read())
        assert process.wait(60) == 130, "".join(said)
    text = "".join(said)
    assert "clusters/dev has 1 uncommitted files (clusters/dev/argocd/root.yaml)" in text
    assert "ending everything" in text
    assert "Traceback" not in text
    assert left_running(checkout) == []
    assert not (checkout / ".cache/cluster/dev").exists()
    assert "dev is not up" in run(checkout, "status").stdout


def left_running(checkout: Path) -> list[str]:
    """Command lines of processes that name the checkout."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return [line.decode() for line in lines if f"{checkout}/".encode() in line]


def test_what_is_not_up_cannot_be_synced_or_ended(checkout: Path) -> None:
    assert run(checkout, "down", "prod").stdout == "prod is not up\n"
    done = run(checkout, "sync", "prod")
    assert (done.returncode, done.stderr) == (2, "cluster: prod is not up: `make cluster ENV=prod` first\n")
    assert run(checkout, "status", "prod", "--format", "json").returncode == 1


def test_an_environment_that_is_not_there(checkout: Path) -> None:
    done = run(checkout, "up", "production")
    assert done.returncode == 2
    assert (
        done.stderr == "cluster: there is no environment 'production': environments/ has dev, prod, staging\n"
    )


def test_help_has_examples(checkout: Path) -> None:
    assert "make cluster ENV=prod" in run(checkout, "--help").stdout


# -- the repository


def test_only_addresses_and_charts_differ_from_what_is_committed(checkout: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "checkout", "--quiet", "."], cwd=checkout, check=True)
    made = repository.Repository(checkout, tmp_path, read(checkout, "prod"))
    made.create()
    differing = {
        name: (made.tree / Path(name).relative_to("clusters/prod"))
        for name, content in repository.committed(checkout, "prod").items()
        if (made.clone / name).read_bytes() != content
    }
    assert differing
    for name, path in differing.items():
        assert name.startswith("clusters/prod/argocd/")
        before, after = (yaml.safe_load(text) for text in ((checkout / name).read_text(), path.read_text()))
        assert before | {"spec": None} == after | {"spec": None}
    assert {one.chart.split()[0] for one in made.held_back} >= {"argo-cd", "loki", "metrics-server"}
    assert not any("chart:" in path.read_text() for path in (made.tree / "argocd").glob("*.yaml"))
    assert read(checkout, "prod").repository not in "".join(path.read_text() for path in differing.values())


def test_commits_reverts_and_the_work_tree(checkout: Path, tmp_path: Path) -> None:
    made = repository.Repository(checkout, tmp_path, read(checkout, "dev"))
    first = made.create()
    made.commit({"manifests/edge/gateway-shop.yaml": None, "manifests/edge/new.yaml": "kind: None\n"})
    assert not (made.tree / "manifests/edge/gateway-shop.yaml").exists()
    made.revert()
    assert not (made.tree / "manifests/edge/new.yaml").exists()
    assert made.read("manifests/edge/gateway-shop.yaml")
    assert made.take_work_tree() == []
    edited = checkout / "clusters/dev/manifests/edge/gateway-shop.yaml"
    edited.write_text(edited.read_text() + "# edited\n")
    assert made.take_work_tree() == ["clusters/dev/manifests/edge/gateway-shop.yaml"]
    subprocess.run(["git", "checkout", "--quiet", "."], cwd=checkout, check=True)
    assert made.head() != first


def test_what_was_never_rendered(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with pytest.raises(BedError, match=r"clusters/dev is not in the last commit .*make render"):
        repository.committed(tmp_path, "dev")


@pytest.fixture
def loki(tmp_path: Path) -> Iterator[Charts]:
    """A folder of one chart, served. It needs helm."""
    made = tmp_path / "loki" / "templates"
    made.mkdir(parents=True)
    (tmp_path / "loki" / "Chart.yaml").write_text("apiVersion: v2\nname: loki\nversion: 18.11.0\n")
    folder = tmp_path / "charts"
    folder.mkdir()
    subprocess.run(["tar", "-czf", folder / "loki-18.11.0.tgz", "-C", tmp_path, "loki"], check=True)
    if os.environ.get("CI") != "true" and shutil.which("helm") is None:
        pytest.skip("helm is not on the PATH: TOOLS=helm make tools")
    with Charts(folder) as served:
        yield served


def test_charts_of_a_folder_are_served_and_others_held_back(loki: Charts) -> None:
    text = (ROOT / "clusters/prod/argocd/application-loki.yaml").read_text()
    kept, held = repository.hold_back(loki.serve_in(text), loki)
    assert held == []
    sources = yaml.safe_load(kept)["spec"]["sources"]
    assert [source["repoURL"] for source in sources if "chart" in source] == [loki.url]
    assert any("ref" in source for source in sources)
    text = (ROOT / "clusters/prod/argocd/application-metrics-server.yaml").read_text()
    _, held = repository.hold_back(loki.serve_in(text), loki)
    assert [one.reason for one in held] == [charts.UNSERVABLE["metrics-server"]]
    text = (ROOT / "clusters/prod/argocd/appproject-monitoring.yaml").read_text()
    assert loki.url in yaml.safe_load(loki.serve_in(text))["spec"]["sourceRepos"]


def test_a_folder_without_charts(tmp_path: Path) -> None:
    with pytest.raises(BedError, match=r"CHARTS names .*, which has no \*\.tgz"), Charts(tmp_path):
        pytest.fail("there is nothing to serve")


# -- the bootstrap


def test_the_page_is_what_is_run() -> None:
    found = bootstrap.steps((ROOT / bootstrap.PAGE).read_text(), "staging")
    script = "".join(step.script for step in found)
    assert "export ENV=staging " in script
    assert script.count("apply -f clusters/$ENV/argocd/") == 2
    assert "aws" not in script
    assert "helm template" not in script
    with_chart = bootstrap.steps((ROOT / bootstrap.PAGE).read_text(), "dev", "http://127.0.0.1:1")
    assert "--repo http://127.0.0.1:1 " in "".join(step.script for step in with_chart)


def test_a_page_that_has_changed_is_an_error() -> None:
    page = (ROOT / bootstrap.PAGE).read_text().replace("--include-crds", "--with-crds")
    with pytest.raises(BedError, match="no longer has this"):
        bootstrap.steps(page, "dev")
    with pytest.raises(BedError, match="has no '## What happens now'"):
        bootstrap.steps("# Another page\n", "dev")


# -- what is shown


def test_the_table_names_what_is_wrong_and_what_is_held_back() -> None:
    rows = table.lines([BAD, GOOD], [HELD], width=120)
    assert "the API server refused it; without its chart gateway-helm v1.9.0" in rows[1]
    assert rows[2].split() == ["4", "shop-backend", "Synced", "Healthy"]
    assert max(map(len, table.lines([BAD], [HELD], width=50))) <= 50
    assert table.lines([BAD], width=50)[1].endswith("…")


def test_colours_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert table.colourful(Terminal())
    assert not table.colourful(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not table.colourful(Terminal())


def test_away_from_a_terminal_only_changes_are_printed() -> None:
    out = io.StringIO()
    live = table.Live(stream=out)
    under_way = Application("edge", 3, "OutOfSync", "Missing", "Running", "", "")
    for one in (under_way, under_way, BAD, GOOD):
        live.show({one.name: one})
    assert [line.split("  ")[-1].strip() for line in out.getvalue().splitlines()] == [
        "under way",
        BAD.message,
    ]


def test_what_an_application_says() -> None:
    item = {
        "metadata": {"name": "edge", "annotations": {"argocd.argoproj.io/sync-wave": "3"}},
        "status": {
            "sync": {"status": "OutOfSync", "revision": "abc"},
            "health": {"status": "Degraded"},
            "operationState": {"phase": "Failed", "message": "refused"},
            "conditions": [{"type": "ComparisonError", "message": "broken"}],
        },
    }
    found = application(item)
    assert (found.wave, found.good, found.message) == (3, False, "broken; refused")
    assert not application({"metadata": {"name": "new"}}).good


def test_changes_are_told_field_by_field() -> None:
    def made(uid: str, replicas: int, version: str) -> dict[str, Any]:
        metadata = {"uid": uid, "resourceVersion": version, "name": "x"}
        return {"metadata": metadata, "spec": {"replicas": replicas, "list": [1, 2]}, "status": version}

    before = {
        ("A", "", "x"): made("1", 1, "7"),
        ("B", "", "x"): made("1", 1, "7"),
        ("C", "", "x"): made("1", 1, "7"),
    }
    after = {
        ("A", "", "x"): made("1", 2, "8"),
        ("B", "", "x"): made("2", 1, "8"),
        ("D", "", "x"): made("3", 1, "8"),
    }
    assert [(change.what, change.key[0], change.fields) for change in changes.compare(before, after)] == [
        ("changed", "A", ("spec.replicas: 1 → 2",)),
        ("made anew", "B", ()),
        ("removed", "C", ()),
        ("added", "D", ()),
    ]
    assert changes.compare(before, before) == []


def test_a_record_takes_the_place_of_the_last() -> None:
    page = f"before\n{record.BEGIN}\nold\n{record.END}\nafter\n"
    first = record.insert(page, "$ make cluster\n")
    assert first.startswith("before\n")
    assert first.endswith("after\n")
    assert "old" not in first
    assert record.insert(first, "$ make cluster") == first


# -- the stand-ins


@pytest.mark.parametrize("name", names(ROOT))
def test_every_custom_kind_of_the_tree_has_a_status_or_needs_none(name: str) -> None:
    without = {"EnvoyProxy", "PodMonitor", "ServiceMonitor", "Application", "AppProject", "ApplicationSet"}
    files = crds_in_use(crd_manifests(), ROOT / "clusters" / name)
    served = {resource.rsplit("/", 1)[-1] for resource in statuses.STATUSES}
    found = {file.stem: crd_kind(file) for file in files}
    assert {kind for plural, kind in found.items() if plural not in served} <= without


def test_a_status_is_given_once_for_each_generation() -> None:
    item: dict[str, Any] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "shop", "generation": 1},
        "spec": {"parentRefs": [{"name": "shop"}]},
    }
    assert not statuses.is_current(item)
    item["status"] = statuses.route(item, "2026-01-01T00:00:00Z")
    assert statuses.is_current(item)
    item["metadata"]["generation"] = 2
    assert not statuses.is_current(item)
    item["status"] = statuses.route(item, "2026-01-01T00:00:00Z")
    item["metadata"]["annotations"] = {statuses.ANNOTATION: "fail"}
    assert not statuses.is_current(item)
    failed = statuses.route(item, "2026-01-01T00:00:00Z")["parents"][0]["conditions"]
    assert {condition["status"] for condition in failed} == {"False"}


def test_an_external_secret_leads_to_its_secret() -> None:
    text = (ROOT / "clusters/prod/manifests/shop-backend/externalsecret-shop-backend.yaml").read_text()
    item = yaml.safe_load(text)
    item["metadata"]["uid"] = "1"
    made = statuses.secret(item)
    assert made
    assert made["metadata"]["name"] == "shop-backend"
    assert {"database-url", "ticket-key", "session-key"} <= set(made["stringData"])
    assert set(made["stringData"].values()) == {"stand-in"}


def test_a_volume_waits_for_its_node() -> None:
    claim: dict[str, Any] = {
        "metadata": {"name": "d", "namespace": "x", "uid": "1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "gp3",
        },
        "status": {"phase": "Pending"},
    }
    assert not storage.wants_volume(claim)
    claim["metadata"]["annotations"] = {storage.SELECTED: "node-1"}
    assert storage.wants_volume(claim)
    assert storage.volume(claim, "zone-a")["spec"]["claimRef"]["uid"] == "1"
    claim["spec"]["volumeName"] = "pvc-1"
    assert not storage.wants_volume(claim)


def test_the_fresher_of_two_answers_counts() -> None:
    def said(*timestamps: str, status: int = 200) -> front.Answer:
        items = [{"timestamp": timestamp} for timestamp in timestamps]
        return front.Answer(status, "application/json", json.dumps({"items": items}).encode())

    ordered = [
        front.Answer(502, "text/plain", b"metrics-server: refused"),
        said(status=404),
        said(),
        said("2026-01-01T00:00:06Z"),
        said("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"),
        said("2026-01-01T00:00:01Z", "2026-01-01T00:00:07Z"),
    ]
    mixed = [ordered[at] for at in (3, 0, 5, 2, 4, 1)]
    assert sorted(mixed, key=front.worth)[2:] == ordered[2:]
    one = front.Answer(200, "application/json", b'{"timestamp": "2026-01-01T00:00:06Z"}')
    assert front.worth(one) == (True, 1, "2026-01-01T00:00:06Z")


def test_every_file_of_tests_runs_in_one_group() -> None:
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    found = lanes.groups([*files, Path("test_new.py")])
    assert sorted(file for group in found for file in group) == [*files, Path("test_new.py")]
    together, longest = found[0], found[1]
    assert all(file.name.startswith("test_gitops_") for file in together), "they share a test bed"
    assert [file.stem for file in longest] == ["test_behaviour"]


@pytest.mark.parametrize(
    ("statuses", "status"), [([0, 0], 0), ([0, 1], 1), ([2, 0], 2), ([-9, 0], 9), ([5, 0], 0), ([5, 5], 5)]
)
def test_no_lane_hides_a_failure(statuses: list[int], status: int) -> None:
    assert lanes.status(statuses) == status
