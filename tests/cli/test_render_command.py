"""`dhakacart render`, as users start it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.checkout import COMMAND, Checkout, make_checkout

MAX = "      min: 3\n      max: 10\n"


def test_a_committed_tree_is_what_rendering_gives(checkout: Checkout) -> None:
    before = checkout.files()
    done = checkout.run("render", "--check")
    assert (done.returncode, checkout.files()) == (0, before)
    assert done.stdout.count("nothing changed") == 3


def test_a_second_render_writes_nothing(checkout: Checkout) -> None:
    times = {path: path.stat().st_mtime_ns for path in (checkout.root / "clusters").rglob("*")}
    assert checkout.run("render").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (checkout.root / "clusters").rglob("*")} == times


def test_the_same_bytes_for_any_hash_seed_folder_locale_and_time_zone(tmp_path: Path) -> None:
    trees = []
    for index, (seed, locale, zone) in enumerate([("1", "C", "UTC"), ("2", "C.UTF-8", "Asia/Dhaka")]):
        folder = tmp_path / f"some where {index}"
        folder.mkdir()
        checkout = make_checkout(folder)
        shutil.rmtree(checkout.root / "clusters")
        done = checkout.run("render", PYTHONHASHSEED=seed, LC_ALL=locale, TZ=zone)
        assert done.returncode == 0, done.stderr
        trees.append(checkout.files())
    assert trees[0] == trees[1]
    assert len(trees[0]) > 300


def test_one_number_changes_the_hpa_and_what_derives_from_it(checkout: Checkout) -> None:
    checkout.edit("environments/prod.yaml", MAX, MAX.replace("10", "9"))
    done = checkout.run("render", "--env", "prod", "--format", "json")
    changes = json.loads(done.stdout)["prod"]
    assert changes == {
        "added": [],
        "changed": [
            "manifests/foundation/resourcequota-quota.shop.yaml",
            "manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml",
        ],
        "removed": [],
        "edited": [],
        "inTheWay": {},
    }
    hpa = checkout.files()["prod/manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml"].decode()
    assert "maxReplicas: 9\n" in hpa


def test_check_finds_drift_and_writes_nothing(checkout: Checkout) -> None:
    checkout.edit("environments/prod.yaml", MAX, MAX.replace("10", "9"))
    before = checkout.files()
    done = checkout.run("render", "--check")
    assert (done.returncode, checkout.files()) == (1, before)
    assert "~ clusters/prod/manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml" in done.stdout


def test_check_names_files_edited_by_hand(checkout: Checkout) -> None:
    file = "clusters/prod/manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml"
    checkout.edit(file, "maxReplicas: 10", "maxReplicas: 30")
    done = checkout.run("render", "--check")
    assert done.returncode == 1
    assert f"! {file}" in done.stdout
    assert "DC-OUT-003" in done.stderr


def test_a_dry_run_tells_and_succeeds(checkout: Checkout) -> None:
    checkout.edit("environments/prod.yaml", MAX, MAX.replace("10", "9"))
    before = checkout.files()
    done = checkout.run("render", "--dry-run")
    assert (done.returncode, checkout.files()) == (0, before)
    assert "2 changed" in done.stdout


def test_an_app_that_goes_takes_its_files_along(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "apps" / "monitors")
    stray = checkout.root / "clusters" / "prod" / "manifests" / "notes.txt"
    stray.write_text("mine", encoding="utf-8")
    done = checkout.run("render")
    assert done.returncode == 0, done.stderr
    assert not (checkout.root / "clusters" / "prod" / "manifests" / "monitors").exists()
    assert stray.read_text(encoding="utf-8") == "mine"


def test_a_file_edited_by_hand_stops_the_run_until_forced(checkout: Checkout) -> None:
    file = "clusters/prod/manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml"
    checkout.edit(file, "maxReplicas: 10", "maxReplicas: 30")
    before = checkout.files()
    done = checkout.run("render")
    assert (done.returncode, checkout.files()) == (2, before)
    assert file in done.stderr
    assert "--force" in done.stderr
    assert checkout.run("render", "--force").returncode == 0
    assert "maxReplicas: 10\n" in (checkout.root / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "status", "words"),
    [
        ("environments/prod.yaml", "replicas:", "replcas:", 2, "did you mean `replicas`?"),
        (
            "environments/prod.yaml",
            MAX,
            MAX.replace("10", "2"),
            2,
            "the minimum cannot be more than the maximum",
        ),
        ("environments/prod.yaml", "10.30.0.0/16", "10.20.0.0/16", 2, "environments/staging.yaml"),
        ("environments/prod.yaml", 'version: "1.35"', 'version: "1.31"', 1, "DC-K8S-00"),
        ("apps/shop-backend/hpa.yaml.j2", "maxReplicas", "maxReplcas", 1, "did you mean"),
        ("apps/shop-backend/hpa.yaml.j2", "replicas.max", "replicas.mx", 2, "apps/shop-backend/hpa.yaml.j2:"),
        ("apps/shop-backend/hpa.yaml.j2", "spec:", "spec: [", 2, "renders broken YAML"),
        ("apps/shop-backend/app.yaml", "shop-migrate", "shop-migrat", 2, "did you mean `shop-migrate`?"),
        ("apps/loki/values.yaml.j2", "auth_enabled", "auth_enabeld", 1, "did you mean"),
    ],
)
def test_bad_input_is_named_with_its_remedy_and_leaves_the_tree(
    checkout: Checkout, file: str, old: str, new: str, status: int, words: str
) -> None:
    checkout.edit(file, old, new)
    before = checkout.files()
    done = checkout.run("render")
    assert (done.returncode, checkout.files()) == (status, before)
    assert file in done.stderr
    assert words in done.stderr


def test_a_missing_environment_names_those_that_exist(checkout: Checkout) -> None:
    done = checkout.run("render", "--env", "prd")
    assert done.returncode == 2
    assert "prod" in done.stderr


def test_outside_a_checkout_the_way_in_is_said(tmp_path: Path) -> None:
    done = Checkout(tmp_path).run("render")
    assert done.returncode == 2
    assert "--root" in done.stderr


def test_root_names_the_checkout_from_elsewhere(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = Checkout(tmp_path_factory.mktemp("elsewhere"))
    assert elsewhere.run("--root", str(checkout.root), "render", "--check").returncode == 0


def test_check_goes_alone(checkout: Checkout) -> None:
    done = checkout.run("render", "--check", "--force")
    assert done.returncode == 2
    assert "--check goes alone" in done.stderr


def test_quiet_prints_nothing_where_nothing_is_wrong(checkout: Checkout) -> None:
    assert checkout.run("--quiet", "render").stdout == ""
    assert checkout.run("render", "-q").stdout == ""


def test_colours_only_where_they_are_wanted(checkout: Checkout) -> None:
    checkout.edit("environments/prod.yaml", MAX, MAX.replace("10", "9"))
    assert "\x1b[" not in checkout.run("render", "--dry-run").stdout
    assert "\x1b[33m" in checkout.run("--color", "always", "render", "--dry-run").stdout
    assert "\x1b[" not in checkout.run("render", "--dry-run", NO_COLOR="1").stdout


def test_watch_renders_again_after_an_edit_and_ends_with_ctrl_c(checkout: Checkout) -> None:
    hpa = checkout.root / "clusters/prod/manifests/shop-backend/horizontalpodautoscaler-shop-backend.yaml"
    with subprocess.Popen(
        [COMMAND, "render", "--watch"],
        cwd=checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        try:
            assert watching.stdout
            while "watching" not in (line := watching.stdout.readline()):
                assert line, "it ended"
            checkout.edit("environments/prod.yaml", MAX, MAX.replace("10", "9"))
            deadline = time.monotonic() + 30
            while "maxReplicas: 9" not in hpa.read_text(encoding="utf-8"):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            os.kill(watching.pid, signal.SIGINT)
            _, words = watching.communicate(timeout=30)
        finally:
            watching.kill()
    assert watching.returncode == 130
    assert "Traceback" not in words
