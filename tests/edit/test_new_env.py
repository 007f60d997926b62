"""`new-env`: comments and order are kept, mistakes are said before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from generator.config.load import load_environment
from generator.edit.new_env import new_env
from generator.problem import ProblemsError

ROOT = Path(__file__).parents[2]
CIDR, DOMAIN, ACCOUNT = ("aws", "network", "cidr"), ("domain",), ("aws", "account")
CHANGES = {CIDR: "10.40.0.0/16", DOMAIN: "qa.dhakacart.com.bd", ACCOUNT: "444455556666"}


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "environments", tmp_path / "environments"))


def codes(environments: Path, name: str, source: str, changes: dict[tuple[str, ...], str]) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        new_env(environments, name, source, changes)
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize("source", ["dev", "staging", "prod"])
def test_only_what_was_asked_for_changes(environments: Path, source: str) -> None:
    (path, text), *rest = new_env(environments, "qa", source, CHANGES).items()
    assert (path, rest) == ("environments/qa.yaml", [])
    before = (environments / f"{source}.yaml").read_text("utf-8").splitlines()
    after = text.splitlines()
    assert len(after) == len(before)
    changed = [line.strip() for old, line in zip(before, after, strict=True) if old != line]
    assert changed == [
        f"# Made from {source} by `dhakacart new-env`: say here what it is for.",
        "name: qa",
        "domain: qa.dhakacart.com.bd",
        'account: "444455556666" # quoted: an account number is text',
        "cidr: 10.40.0.0/16",
    ]


def test_it_loads_and_nothing_was_written(environments: Path) -> None:
    before = sorted(environments.iterdir())
    ((path, text),) = new_env(environments, "qa", "staging", CHANGES).items()
    assert sorted(environments.iterdir()) == before
    (environments.parent / path).write_text(text, "utf-8")
    environment = load_environment(environments.parent / path, environments.parent).environment
    assert (environment.name, environment.tier, environment.domain) == ("qa", "staging", CHANGES[DOMAIN])
    assert environment.aws.account == CHANGES[ACCOUNT]


def test_the_tier_and_the_channel_can_change(environments: Path) -> None:
    channel = ("monitoring", "alerts", "slack", "channel")
    ((_, text),) = new_env(
        environments, "qa", "prod", {**CHANGES, ("tier",): "staging", channel: "#qa"}
    ).items()
    assert "\ntier: staging\n" in text
    assert 'channel: "#qa" # quoted' in text


@pytest.mark.parametrize("name", ["QA", "q a", "-qa", "a" * 21, "../qa", ""])
def test_a_name_that_is_none(environments: Path, name: str) -> None:
    assert codes(environments, name, "dev", CHANGES) == ["DC-EDT-001"]


def test_a_name_that_exists(environments: Path) -> None:
    assert codes(environments, "prod", "dev", CHANGES) == ["DC-EDT-002"]


def test_a_source_that_does_not_exist(environments: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        new_env(environments, "qa", "prdo", CHANGES)
    (problem,) = caught.value.problems
    assert problem.code == "DC-EDT-003"
    assert "dev, prod, staging" in problem.hint


def test_everything_wrong_is_said_at_once(environments: Path) -> None:
    assert codes(environments, "Q A", "prdo", CHANGES) == ["DC-EDT-001", "DC-EDT-003"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({CIDR: "10.30.128.0/17"}, "DC-CFG-012"),
        ({DOMAIN: "dhakacart.com.bd"}, "DC-CFG-013"),
        ({CIDR: "10.40.0.1/16"}, "DC-CFG-005"),
        ({ACCOUNT: "12"}, "DC-CFG-005"),
    ],
    ids=str,
)
def test_values_are_checked_as_in_any_environment(
    environments: Path, change: dict[tuple[str, ...], str], code: str
) -> None:
    with pytest.raises(ProblemsError) as caught:
        new_env(environments, "qa", "staging", {**CHANGES, **change})
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.where is not None
    assert "environments/" in problem.where.file
    assert not problem.where.file.startswith("/")
