"""Each known mistake is found, by the check that the table says."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import ChainMap
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from dhakacart_infra import tf
from verify.policies import PROGRAM, Finding, findings, skips, unexplained
from verify.terraform import each, niced, validate_all

from tests import faults
from tests.conftest import PLANTED, Stacks
from tests.faults import Planted, Source

HERE = Path(__file__).parents[1]
ENVIRONMENT = "prod"
IMPORTS = """
from cdktf_cdktf_provider_aws.db_parameter_group import DbParameterGroup
from cdktf_cdktf_provider_aws.instance import InstanceEbsBlockDevice as EbsBlock
from cdktf_cdktf_provider_aws.launch_template import LaunchTemplate
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
"""


TERRAFORMS = (faults.VALIDATE, *((fault,) for fault in faults.BREAKING))
"""What Terraform is asked about at once."""
SOUND = ("sound", "edge")


def named(table: Iterable[Planted | Source]) -> list[Any]:
    return [pytest.param(fault, id=fault.name.replace(" ", "-")) for fault in table]


def planted(stacks: Stacks, fault: Planted) -> dict[str, Any]:
    """Production's stack with the mistake in it."""
    stack = deepcopy(stacks[ENVIRONMENT, fault.stack])
    fault.plant(stack)
    return stack


@pytest.fixture(scope="module")
def mypys_words(tmp_path_factory: pytest.TempPathFactory) -> str:
    """mypy's answer to all mistakes of its table at once, one a line."""
    lines = ["import dhakacart_infra.tf as tf", *IMPORTS.splitlines(), "class S(tf.TerraformStack):"]
    lines += [
        "    def f(self) -> None:",
        *(f"        {fault.code}  # {fault.name}" for fault in faults.TYPES),
    ]
    file = tmp_path_factory.mktemp("types") / "planted.py"
    file.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *niced(),
            sys.executable,
            "-m",
            "mypy",
            "--no-error-summary",
            "--config-file",
            "pyproject.toml",
            file,
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    source = file.read_text().splitlines()
    found = [line.split(":", 2) for line in done.stdout.splitlines() if ": error:" in line]
    return "\n".join(f"{source[int(number) - 1].split('  # ')[-1]}:{words}" for _, number, words in found)


@pytest.mark.parametrize("fault", named(faults.TYPES))
def test_mypy_finds(mypys_words: str, fault: Source) -> None:
    (words,) = (line for line in mypys_words.splitlines() if line.startswith(f"{fault.name}:"))
    assert f"[{fault.says}]" in words


@pytest.mark.parametrize("fault", named(faults.SYNTHESIS))
def test_synthesis_finds(fault: Source) -> None:
    scope: dict[str, Any] = {"self": tf.TerraformStack(tf.App(), "planted")}
    exec(IMPORTS, scope)
    with pytest.raises(Exception, match=fault.says):
        exec(fault.code, scope)


def dicts_for_structs(source: str) -> list[str]:
    """Arguments of the provider's classes that are dicts, though not of text to text as tags are."""
    tree = ast.parse(source)
    provider = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(tf.PROVIDER)
        for alias in node.names
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [
        str(argument.arg)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in provider
        for argument in call.keywords
        if argument.arg not in MAPS and any(isinstance(part, ast.Dict) for part in parts(argument.value))
    ]


MAPS = ("tags", "dimensions", "statement", "variables", "target_tags")
"""Arguments that are maps in Terraform too, and WAF's `statement`, which has no struct."""


def parts(value: ast.expr) -> list[ast.expr]:
    """The value, and what a list of it is made of."""
    return [value, *value.elts] if isinstance(value, ast.List) else [value]


@pytest.mark.parametrize("fault", named(faults.STYLE))
def test_our_rule_finds(fault: Source) -> None:
    assert dicts_for_structs(IMPORTS + fault.code) == [fault.says]


def test_no_stack_of_ours_breaks_that_rule() -> None:
    for file in (HERE / "dhakacart_infra").rglob("*.py"):
        assert dicts_for_structs(file.read_text()) == [], file


@pytest.fixture(scope="module")
def terraforms_words(
    stacks: Stacks, terraform: str, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[str]]:
    """What `terraform validate` says of each mistake, in a stack beside another that has none."""
    scratch = tmp_path_factory.mktemp("planted")
    sound = {SOUND: stacks[ENVIRONMENT, "edge"]}

    def words(number: int) -> dict[str, list[str]]:
        copies = {("fault", fault.name): planted(stacks, fault) for fault in TERRAFORMS[number]}
        found = validate_all(copies | sound, scratch / str(number))
        assert found.pop(SOUND) == []
        return {name: said for (_, name), said in found.items()}

    return dict(ChainMap(*each(words, range(len(TERRAFORMS)))))


@pytest.mark.parametrize("fault", named((*faults.VALIDATE, *faults.BREAKING)))
def test_terraform_finds(terraforms_words: Mapping[str, list[str]], fault: Planted) -> None:
    words = "\n".join(terraforms_words[fault.name])
    assert fault.says in words
    assert "module." not in words


@pytest.fixture(scope="module")
def checkovs_words(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What checkov finds in copies with one mistake each, without what is skipped anyhow."""
    if not PROGRAM.is_file() and not os.environ.get("CI"):
        pytest.skip("`make infra-cdktf/.venv-checkov/.installed` installs checkov")
    scratch = tmp_path_factory.mktemp("checkov")
    copies = {(f"fault-{n}", fault.stack): planted(stacks, fault) for n, fault in enumerate(faults.POLICIES)}
    return unexplained(findings(copies, scratch), skips())


@pytest.mark.parametrize("fault", named(faults.POLICIES))
def test_checkov_finds(checkovs_words: list[Finding], fault: Planted) -> None:
    place = f"fault-{faults.POLICIES.index(fault)}/{fault.stack}"
    assert fault.says in {finding.check for finding in checkovs_words if finding.place == place}


@pytest.fixture(scope="module")
def our_words(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What our own tests of the stack say of each mistake of their table."""
    scratch = tmp_path_factory.mktemp("own")

    def run(fault: Planted) -> str:
        folder = scratch / fault.name.replace(" ", "-")
        for (environment, lifecycle), stack in stacks.items():
            own = (environment, lifecycle) == (ENVIRONMENT, fault.stack)
            (folder / environment).mkdir(parents=True, exist_ok=True)
            text = json.dumps(planted(stacks, fault) if own else stack)
            (folder / environment / f"{lifecycle}.json").write_text(text)
        return subprocess.run(
            [
                *niced(),
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "--tb=no",
                "-rf",
                f"tests/{fault.says}.py",
            ],
            cwd=HERE,
            env={**os.environ, PLANTED: str(folder)},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    return dict(zip((fault.name for fault in faults.OWN), each(run, faults.OWN), strict=True))


@pytest.mark.parametrize("fault", named(faults.OWN))
def test_our_own_tests_find(our_words: Mapping[str, str], fault: Planted) -> None:
    assert f"FAILED tests/{fault.says}.py" in our_words[fault.name]
    assert "passed" in our_words[fault.name], "not one test of that file knows the rest"
