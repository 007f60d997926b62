"""Writing a tree: only what differs, only what is ours, never over someone's work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.output.record import RECORD, format_meanwhile, format_record, parse_record, record_of
from generator.output.write import Changes, apply, apply_all, plan
from generator.problem import Problem, ProblemsError

Files = dict[str, bytes]
OnDisk = Callable[[Path], Files]

DEPLOYMENT = "manifests/backend/deployment-backend.yaml"
LEGACY = "manifests/legacy/job-legacy.yaml"
FRONTEND = "manifests/frontend/service-frontend.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "clusters" / "prod"


def write(tree: Files, folder: Path, *, force: bool = False) -> Changes:
    changes = plan(tree, folder)
    apply(changes, folder, force=force)
    return changes


def refused(tree: Files, folder: Path, *, force: bool = False) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        write(tree, folder, force=force)
    return caught.value.problems


def without_record(files: Files) -> Files:
    return {path: content for path, content in files.items() if path != RECORD}


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    """Changes whenever anything in the folder is written, moved or made anew."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


def test_a_first_run_writes_everything_and_its_record(folder: Path, old_tree: Files, on_disk: OnDisk) -> None:
    changes = write(old_tree, folder)
    assert changes.added == tuple(sorted(old_tree))
    assert without_record(on_disk(folder)) == old_tree
    assert sorted(json.loads((folder / RECORD).read_text())) == sorted(old_tree)


def test_a_second_run_writes_nothing(folder: Path, old_tree: Files) -> None:
    write(old_tree, folder)
    before = marks(folder)
    changes = write(old_tree, folder)
    assert changes.empty
    assert changes.unchanged == tuple(sorted(old_tree))
    assert marks(folder) == before


def test_only_what_differs_is_touched(
    folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk
) -> None:
    write(old_tree, folder)
    before = marks(folder)
    changes = write(new_tree, folder)
    assert (changes.changed, changes.removed) == ((DEPLOYMENT,), (LEGACY,))
    assert changes.added == ("argocd/root.yaml", FRONTEND)
    assert without_record(on_disk(folder)) == new_tree
    after = marks(folder)
    for path in changes.unchanged:
        assert after[str(folder / path)] == before[str(folder / path)]


def test_planning_writes_nothing(folder: Path, old_tree: Files) -> None:
    assert not plan(old_tree, folder).empty
    assert not folder.exists()


def test_a_folder_left_empty_goes_with_its_last_file(folder: Path, old_tree: Files, new_tree: Files) -> None:
    write(old_tree, folder)
    write(new_tree, folder)
    assert not (folder / "manifests/legacy").exists()


def test_files_of_others_stay(folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk) -> None:
    write(old_tree, folder)
    others = {"manifests/legacy/README.md": b"mine", "terraform/data/cdk.tf.json": b"{}"}
    for path, content in others.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    write(new_tree, folder)
    assert without_record(on_disk(folder)) == new_tree | others


def test_an_empty_tree_removes_all_that_was_ours(folder: Path, old_tree: Files, on_disk: OnDisk) -> None:
    write(old_tree, folder)
    write({}, folder)
    assert not folder.exists()

    write(old_tree, folder)
    (folder / "notes.txt").write_text("mine")
    write({}, folder)
    assert on_disk(folder) == {"notes.txt": b"mine"}
    assert plan({}, folder).empty


def test_the_record_depends_on_nothing_but_the_files(tmp_path: Path, old_tree: Files) -> None:
    write(old_tree, tmp_path / "a")
    write(dict(reversed(old_tree.items())), tmp_path / "b")
    assert (tmp_path / "a" / RECORD).read_bytes() == (tmp_path / "b" / RECORD).read_bytes()


# Edits by hand


def test_edits_by_hand_are_refused_all_at_once(
    folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(old_tree, folder)
    for path in (DEPLOYMENT, LEGACY):
        (folder / path).write_bytes(old_tree[path] + b"# tuned at night\n")
    before = on_disk(folder)
    monkeypatch.chdir(folder.parent.parent)
    overwritten, removed = refused(new_tree, folder)
    assert {overwritten.code, removed.code} == {"DC-OUT-003"}
    assert str(overwritten.where) == f"clusters/prod/{DEPLOYMENT}"
    assert "apps/backend/deployment.yaml.j2" in overwritten.hint
    assert f"git checkout -- clusters/prod/{DEPLOYMENT}" in overwritten.hint
    assert "--force" in overwritten.hint
    assert str(removed.where) == f"clusters/prod/{LEGACY}"
    assert "would remove it" in removed.message
    assert on_disk(folder) == before


def test_an_edit_is_refused_even_where_the_rendering_did_not_change(folder: Path, old_tree: Files) -> None:
    write(old_tree, folder)
    (folder / DEPLOYMENT).write_bytes(b"replicas: 4\n")
    changes = plan(old_tree, folder)
    assert changes.edited == (DEPLOYMENT,)
    assert not changes.empty
    assert [problem.code for problem in refused(old_tree, folder)] == ["DC-OUT-003"]


def test_force_gives_up_the_edits(folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk) -> None:
    write(old_tree, folder)
    for path in (DEPLOYMENT, LEGACY):
        (folder / path).write_bytes(b"edited\n")
    write(new_tree, folder, force=True)
    assert without_record(on_disk(folder)) == new_tree
    assert plan(new_tree, folder).empty


def test_an_edit_that_anticipates_the_rendering_is_fine(
    folder: Path, old_tree: Files, new_tree: Files
) -> None:
    write(old_tree, folder)
    (folder / DEPLOYMENT).write_bytes(new_tree[DEPLOYMENT])
    assert DEPLOYMENT in write(new_tree, folder).unchanged
    assert plan(new_tree, folder).empty


def test_a_file_deleted_by_hand_comes_back(folder: Path, old_tree: Files) -> None:
    write(old_tree, folder)
    (folder / DEPLOYMENT).unlink()
    assert write(old_tree, folder).added == (DEPLOYMENT,)
    assert (folder / DEPLOYMENT).read_bytes() == old_tree[DEPLOYMENT]


def test_a_file_deleted_by_hand_that_nothing_renders_is_forgotten(
    folder: Path, old_tree: Files, new_tree: Files
) -> None:
    write(old_tree, folder)
    (folder / LEGACY).unlink()
    write(new_tree, folder)
    assert plan(new_tree, folder).empty


# What is in the way


def test_a_file_of_others_is_never_overwritten(folder: Path, old_tree: Files, new_tree: Files) -> None:
    write(old_tree, folder)
    (folder / FRONTEND).parent.mkdir()
    (folder / FRONTEND).write_text("mine")
    for force in (False, True):
        (problem,) = refused(new_tree, folder, force=force)
        assert problem.code == "DC-OUT-004"
        assert problem.where is not None
        assert problem.where.file.endswith(FRONTEND)
    assert (folder / FRONTEND).read_text() == "mine"
    assert (folder / DEPLOYMENT).read_bytes() == old_tree[DEPLOYMENT]


def test_a_file_of_others_that_is_the_same_becomes_ours(
    folder: Path, old_tree: Files, new_tree: Files
) -> None:
    write(old_tree, folder)
    (folder / FRONTEND).parent.mkdir()
    (folder / FRONTEND).write_bytes(new_tree[FRONTEND])
    assert FRONTEND in write(new_tree, folder).unchanged
    write(old_tree, folder)
    assert not (folder / FRONTEND).exists()


def test_no_link_is_followed_out_of_the_folder(
    folder: Path, tmp_path: Path, old_tree: Files, on_disk: OnDisk
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.mkdir(parents=True)
    (folder / "manifests").symlink_to(outside)
    (problem,) = refused(old_tree, folder, force=True)
    assert problem.code == "DC-OUT-004"
    assert "symbolic link" in problem.message
    assert on_disk(outside) == {}


def test_a_link_to_a_file_is_not_written_through(folder: Path, tmp_path: Path, old_tree: Files) -> None:
    target = tmp_path / "target.yaml"
    target.write_bytes(old_tree["values/loki.yaml"])
    (folder / "values").mkdir(parents=True)
    (folder / "values/loki.yaml").symlink_to(target)
    (problem,) = refused(old_tree, folder)
    assert (problem.code, "symbolic link" in problem.message) == ("DC-OUT-004", True)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "named pipe"])
def test_something_else_where_a_file_is_needed(
    folder: Path, old_tree: Files, make: Callable[[Path], None]
) -> None:
    (folder / "values").mkdir(parents=True)
    make(folder / "values/loki.yaml")
    (problem,) = refused(old_tree, folder)
    assert (problem.code, "where a file is needed" in problem.message) == ("DC-OUT-004", True)


def test_a_file_where_a_folder_is_needed_is_told_once(folder: Path, old_tree: Files) -> None:
    folder.mkdir(parents=True)
    (folder / "manifests").write_text("mine")
    (problem,) = refused(old_tree, folder)
    assert (problem.code, "where a folder is needed" in problem.message) == ("DC-OUT-004", True)


def test_a_file_in_place_of_the_environment(folder: Path, old_tree: Files) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("mine")
    (problem,) = refused(old_tree, folder)
    assert problem.code == "DC-OUT-006"
    assert folder.read_text() == "mine"


# The record


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", 1),
        ('{\n "a.yaml": "12', 2),
        ("{\n}\n<html>", 3),
        ('{\n "../../etc/passwd": "%s"\n}\n' % ("0" * 64), 2),
        ('{\n "a/../../b": "%s"\n}\n' % ("0" * 64), 2),
        ('{\n "a/..": "%s"\n}\n' % ("0" * 64), 2),
        ('{\n "/etc/passwd": "%s"\n}\n' % ("0" * 64), 2),
        ('{\n "a//b": "%s"\n}\n' % ("0" * 64), 2),
        ('{\n "a.yaml": "not a hash"\n}\n', 2),
        ('{\n "a.yaml": 5\n}\n', 2),
    ],
)
def test_a_record_that_makes_no_sense_stops_everything(
    folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk, content: str, line: int
) -> None:
    write(old_tree, folder)
    (folder / RECORD).write_text(content)
    before = on_disk(folder)
    (problem,) = refused(new_tree, folder, force=True)
    assert problem.code == "DC-OUT-005"
    assert "git checkout --" in problem.hint
    assert problem.where is not None
    assert problem.where.line == line
    assert on_disk(folder) == before


def test_a_record_that_is_no_file(folder: Path, old_tree: Files) -> None:
    (folder / RECORD).mkdir(parents=True)
    (problem,) = refused(old_tree, folder)
    assert problem.code == "DC-OUT-006"


def test_without_a_record_what_is_as_rendered_is_ours_again(
    folder: Path, old_tree: Files, new_tree: Files
) -> None:
    write(old_tree, folder)
    (folder / RECORD).unlink()
    changes = write(old_tree, folder)
    assert (changes.added, changes.changed, changes.empty) == ((), (), False)
    write(new_tree, folder)
    assert not (folder / LEGACY).exists()


def test_without_a_record_what_differs_is_not_ours(folder: Path, old_tree: Files, new_tree: Files) -> None:
    write(old_tree, folder)
    (folder / RECORD).unlink()
    (problem,) = refused(new_tree, folder)
    assert problem.code == "DC-OUT-004"
    assert problem.where is not None
    assert problem.where.file.endswith(DEPLOYMENT)


def test_a_record_in_a_merge_conflict_is_settled_by_rendering(
    folder: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk
) -> None:
    write(new_tree, folder)
    theirs = (folder / RECORD).read_text()
    write(old_tree, folder)
    ours = (folder / RECORD).read_text()
    (folder / RECORD).write_text(f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> scale-for-the-sale\n")
    (folder / DEPLOYMENT).write_bytes(new_tree[DEPLOYMENT])  # Git took this file from the other branch
    merged = old_tree | {"values/loki.yaml": b"merged\n"}
    write(merged, folder)
    assert without_record(on_disk(folder)) == merged
    assert plan(merged, folder).empty


def test_a_record_under_way_is_never_taken_for_a_finished_one() -> None:
    before, after = record_of({"a": b"1"}), record_of({"a": b"1", "b": b"2"})
    for old, new in ((before, after), (after, before), ({}, after)):
        meanwhile = format_meanwhile(old, new)
        assert meanwhile not in (format_record(old), format_record(new))
        assert parse_record(meanwhile, RECORD) == after


# Several environments


def test_all_environments_or_none(tmp_path: Path, old_tree: Files, new_tree: Files, on_disk: OnDisk) -> None:
    dev, prod = tmp_path / "dev", tmp_path / "prod"
    apply_all([(plan(old_tree, folder), folder) for folder in (dev, prod)])
    (prod / DEPLOYMENT).write_bytes(b"edited\n")
    before = on_disk(tmp_path)
    work = [(plan(new_tree, folder), folder) for folder in (dev, prod)]
    with pytest.raises(ProblemsError):
        apply_all(work)
    assert on_disk(tmp_path) == before
    apply_all(work, force=True)
    assert without_record(on_disk(dev)) == without_record(on_disk(prod)) == new_tree


def test_an_environment_that_is_up_to_date_is_left_alone(
    tmp_path: Path, old_tree: Files, new_tree: Files
) -> None:
    dev, prod = tmp_path / "dev", tmp_path / "prod"
    apply_all([(plan(old_tree, folder), folder) for folder in (dev, prod)])
    before = marks(dev)
    apply_all([(plan(old_tree, dev), dev), (plan(new_tree, prod), prod)])
    assert marks(dev) == before
