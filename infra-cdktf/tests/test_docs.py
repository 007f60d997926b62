"""The pages about infrastructure name what is really synthesized, and their commands are shell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dhakacart_infra.inputs import ORDER

from tests.conftest import Stacks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    name: (DOCS / f"{name}.md").read_text("utf-8")
    for name in ("infrastructure", "aws-bootstrap", "disaster-recovery")
}


def blocks(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL)


def test_stacks_are_told_in_the_order_in_which_they_are_applied() -> None:
    assert (
        tuple(re.findall(r"^\| `([a-z-]+)` \|", PAGES["infrastructure"], re.MULTILINE))[: len(ORDER)] == ORDER
    )
    loop = re.search(r"for stack in ([a-z ]+); do", PAGES["aws-bootstrap"])
    assert loop
    assert tuple(loop[1].split()) == ORDER[1:]


def test_every_resource_and_output_that_is_named_exists(stacks: Stacks) -> None:
    text = "\n".join(PAGES.values())
    made = {
        f"{kind}.{name}"
        for stack in stacks.values()
        for kind, named in stack["resource"].items()
        for name in named
    }
    named = set(re.findall(r"\b(aws_[a-z0-9_]+\.[a-z][a-z0-9-]*)", text)) - {"aws_instance.server-"}
    assert named
    assert named - made == set()
    outputs = {name for stack in stacks.values() for name in stack.get("output", {})}
    assert set(re.findall(r"output -raw ([a-z_]+)", text)) - outputs == set()


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_shell(page: str) -> None:
    for block in blocks(page):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert done.stderr == ""
