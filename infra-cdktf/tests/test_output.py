"""What is committed is what would be synthesized; synthesis is due when, and only when, that would change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dhakacart_infra.app import synthesize
from dhakacart_infra.inputs import ORDER, ROOT, inputs_digest, program_digest, recorded
from dhakacart_infra.output import STACK_FILE, folder_of, write

from generator.config.infrastructure import Infrastructure

STALE = """
import sys
from dhakacart_infra.__main__ import main
try:
    main(["stale", "--root", sys.argv[1]])
finally:
    assert "jsii" not in sys.modules, "looking takes no jsii"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The environments and the committed stacks of them."""
    shutil.copytree(ROOT / "environments", tmp_path / "environments")
    for path in (ROOT / "clusters").glob("*/terraform"):
        shutil.copytree(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def stale(checkout: Path) -> tuple[int, str]:
    """Exit status and words of the command that looks."""
    done = subprocess.run(
        [sys.executable, "-c", STALE, str(checkout)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'infra-cdktf'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def edit(checkout: Path, old: str, new: str) -> None:
    """Replace one text of prod's file."""
    path = checkout / "environments" / "prod.yaml"
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def test_what_is_committed_is_what_is_synthesized(
    environments: dict[str, Infrastructure], tmp_path: Path
) -> None:
    for (environment, lifecycle), content in synthesize(environments.values(), tmp_path).items():
        path = folder_of(ROOT, environment) / lifecycle / STACK_FILE
        assert path.read_bytes() == content, f"{environment}/{lifecycle}: `make infra`"


def test_the_record_says_what_it_was_made_from(environments: dict[str, Infrastructure]) -> None:
    program = program_digest()
    for name, each in environments.items():
        assert recorded(folder_of(ROOT, name)) == inputs_digest(each, program), "`make infra`"


def test_an_edit_that_infrastructure_does_not_depend_on_starts_nothing(checkout: Path) -> None:
    assert stale(checkout) == (0, "")
    edit(checkout, 'tag: "0.1.0"', 'tag: "0.2.0"')
    edit(checkout, "poolSize: 4", "poolSize: 5")
    assert stale(checkout) == (0, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("db.m7g.large", "db.m7g.xlarge"),
        ("max: 12", "max: 15"),
        ("zones: [a, b, c]", "zones: [a, b, c]\n    nat: single"),
    ],
)
def test_an_edit_of_the_cloud_is_noticed(checkout: Path, old: str, new: str) -> None:
    edit(checkout, old, new)
    assert stale(checkout) == (1, "infrastructure of prod is to be synthesized\n")


def test_a_file_that_is_wrong_is_told_with_its_line(checkout: Path) -> None:
    edit(checkout, "db.m7g.large", "db.m7g.enormous")
    assert stale(checkout)[0] == 2


def test_only_what_differs_is_written_and_what_is_no_stack_goes(tmp_path: Path) -> None:
    folder = tmp_path / "terraform"
    stacks = dict.fromkeys(ORDER, b"{}")
    assert write(folder, stacks, "one") == [f"added {lifecycle}" for lifecycle in ORDER]
    before = {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{STACK_FILE}")}
    (folder / "retired").mkdir()
    assert write(folder, stacks | {"edge": b"[]"}, "two") == ["changed edge", "removed retired"]
    untouched = {path for path, at in before.items() if path.stat().st_mtime_ns == at}
    assert {path.parent.name for path in untouched} == set(ORDER) - {"edge"}
    assert recorded(folder) == "two"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(ORDER)
