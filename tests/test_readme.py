"""The README says what is: its example is what the command prints, its links and commands exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = REPOSITORY / "README.md"
COMMAND = Path(sys.executable).with_name("dhakacart")
EXAMPLE = re.compile(r"(<!-- example:error -->\n)(.*?)(<!-- /example -->)", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PAGES = [README, *sorted((REPOSITORY / "docs").rglob("*.md"))]


def test_the_example_is_what_the_command_prints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for name in ("environments", "apps"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    prod = tmp_path / "environments" / "prod.yaml"
    text = prod.read_text(encoding="utf-8")
    for old, new in (("    replicas: #", "    replcas: #"), ("cidr: 10.30.0.0/16", "cidr: 10.30.1.0/16")):
        assert old in text
        text = text.replace(old, new, 1)
    prod.write_text(text, encoding="utf-8")
    done = subprocess.run([COMMAND, "render"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    block = f"```console\n$ make render\n{done.stderr}```\n"
    readme = README.read_text(encoding="utf-8")
    if request.config.getoption("--update"):
        README.write_text(EXAMPLE.sub(lambda found: found[1] + block + found[3], readme), encoding="utf-8")
    found = EXAMPLE.search(README.read_text(encoding="utf-8"))
    assert found
    assert found[2] == block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_verb_in_the_docs_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        verb
        for page in PAGES
        for verb in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - verbs == set()


def test_every_command_in_the_docs_exists() -> None:
    from generator.cli import COMMANDS

    pattern = re.compile(r"(?:`|^\$ |bin/)dhakacart ([a-z-]+)", re.MULTILINE)
    named = {name for page in PAGES for name in pattern.findall(page.read_text(encoding="utf-8"))}
    assert named - set(COMMANDS) == set()
