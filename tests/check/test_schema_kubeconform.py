"""kubeconform and the built-in check, held to each other on every fixture; and its ways to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from generator.check.crd import crd_schemas
from generator.check.kubeconform import find_kubeconform, run_kubeconform
from generator.check.schema import check_schema, schema_folders
from generator.problem import ProblemsError
from generator.render.model import Obj
from generator.render.parse import parse

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
        assert os.environ.get("CI") != "true", "CI must run with kubeconform: `make tools` installs it"
        pytest.skip("kubeconform is not installed; `make tools` installs it")
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
