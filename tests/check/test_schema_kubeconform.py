"""kubeconform and the built-in check, held to each other on every fixture; and its ways to fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from generator.check.crd import crd_schemas
from generator.check.kubeconform import check_with_kubeconform, find_kubeconform, run_kubeconform
from generator.check.schema import check_schema, schema_folders
from generator.problem import Place, ProblemsError
from generator.render.model import Obj, Rendered
from generator.render.parse import parse
from generator.repository import Repository

FIXTURES = Path(__file__).parent / "schema"
INSTALLED = Path(__file__).parents[2] / ".cache" / "bin" / "kubeconform"
VERSION = "1.35"


@pytest.fixture(scope="module")
def cache() -> Path:
    """The checkout's own cache: schemas are derived once for all runs."""
    return Path(__file__).parents[2] / ".cache"


@pytest.fixture(scope="module")
def program() -> Path:
    """kubeconform from the PATH or from `make tools`. In CI its absence is a failure."""
    found = find_kubeconform() or (INSTALLED if INSTALLED.is_file() else None)
    if found is None:
        reason = "kubeconform is not installed; `make tools` installs it"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found


def test_both_give_the_same_verdict_on_every_fixture(program: Path, cache: Path) -> None:
    folders = schema_folders(VERSION, cache)
    crds = crd_schemas(folders.manifests, cache)
    refusals = run_kubeconform([FIXTURES], VERSION, folders, crds, program)
    files = sorted(FIXTURES.glob("*/*.yaml"))
    ours = {
        path
        for path in files
        if check_schema([Obj("sample", path.name, body) for body in parse(path.read_text())], VERSION, cache)
    }
    assert (
        {refusal.file for refusal in refusals}
        == ours
        == {path for path in files if path.parent.name == "bad"}
    )


def test_its_own_failure_is_a_problem_with_its_words(tmp_path: Path, cache: Path) -> None:
    program = tmp_path / "kubeconform"
    program.write_text("#!/bin/sh\necho 'no such flag' >&2\nexit 2\n")
    program.chmod(0o755)
    with pytest.raises(ProblemsError, match="could not run: no such flag"):
        run_kubeconform([FIXTURES], VERSION, schema_folders(VERSION, cache), tmp_path, program)


def test_a_program_that_is_none_is_a_problem(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ProblemsError, match="could not run"):
        run_kubeconform([FIXTURES], VERSION, schema_folders(VERSION, cache), tmp_path, tmp_path / "absent")


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name on the PATH, which refuses every file that it is given."""
    program = tmp_path / "bin" / "kubeconform"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{STAND_IN}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_what_it_refuses_is_told_of_the_object_that_was_rendered(stand_in: Path, cache: Path) -> None:
    problems = check_with_kubeconform(Repository(cache.parent), rendered("shop", "edge"))
    assert problems is not None
    assert [(problem.code, problem.subject, problem.message) for problem in problems] == [
        ("DC-SCH-005", "ConfigMap shop", "/data: got string, want object"),
        ("DC-SCH-005", "ConfigMap edge", "/data: got string, want object"),
    ]
    assert problems[0].where == Place("apps/sample/x.yaml.j2")


def test_without_it_or_without_schemas_there_is_no_verdict(
    stand_in: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_with_kubeconform(Repository(cache.parent), rendered("shop", version="1.99")) is None
    assert check_with_kubeconform(Repository(cache.parent), rendered()) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_with_kubeconform(Repository(cache.parent), rendered("shop")) is None


def rendered(*names: str, version: str = VERSION) -> Rendered:
    """An environment with a ConfigMap of each name: as much of one as is looked at."""
    bodies = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in names)
    everything = tuple(Obj("sample", "apps/sample/x.yaml.j2", body) for body in bodies)
    cluster = SimpleNamespace(version=version)
    return cast(
        "Rendered", SimpleNamespace(environment=SimpleNamespace(cluster=cluster), everything=everything)
    )


STAND_IN = """
import json, pathlib, sys
error = {"path": "/data", "msg": "got string, want object"}
files = sorted(pathlib.Path(sys.argv[-1]).iterdir())
resource = {"status": "statusInvalid", "msg": "problem", "validationErrors": [error]}
print(json.dumps({"resources": [{"filename": str(path), **resource} for path in files]}))
sys.exit(1)
"""
