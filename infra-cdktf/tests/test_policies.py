"""Public rules about AWS, by checkov, with a reason for every one that is not followed."""

from __future__ import annotations

import os

import pytest
from verify.policies import PROGRAM, Finding, Skip, findings, skips, unexplained, unused

from tests.conftest import Stacks


@pytest.fixture(scope="module")
def found(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What checkov finds in every stack; skipped on a laptop without it, in CI an error."""
    if not PROGRAM.is_file() and not os.environ.get("CI"):
        pytest.skip("`make infra-cdktf/.venv-checkov/.installed` installs checkov")
    return findings(stacks, tmp_path_factory.mktemp("checkov"))


def test_every_finding_has_a_reason(found: list[Finding]) -> None:
    assert unexplained(found, skips()) == []


def test_every_reason_has_a_finding(found: list[Finding]) -> None:
    assert unused(found, skips()) == []


def test_a_reason_for_one_environment_says_nothing_of_another() -> None:
    skip = Skip("CKV_AWS_157 dev/data *.database", "nobody's shop stops with it")
    assert skip.covers(Finding("CKV_AWS_157", "dev/data", "resource.database", "Multi-AZ"))
    assert not skip.covers(Finding("CKV_AWS_157", "prod/data", "resource.database", "Multi-AZ"))
    assert not skip.covers(Finding("CKV_AWS_293", "dev/data", "resource.database", "deletion"))


def test_every_reason_is_one() -> None:
    assert all(len(skip.reason.split()) >= 4 for skip in skips())
