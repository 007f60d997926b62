"""Environments load with their defaults, know where each value comes from, and agree with one another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from config.bad_cases import GOOD
from generator.config.load import LoadedEnvironment, load_environment, load_environments
from generator.config.tiers import TIER_DEFAULTS
from generator.problem import Place, Problem, ProblemsError

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "environments"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two environments that get along: one.yaml and two.yaml."""
    (tmp_path / "one.yaml").write_text(GOOD.replace("name: good", "name: one"))
    second = GOOD.replace("name: good", "name: two").replace("10.40.", "10.50.")
    second = second.replace("domain: dhakacart.com.bd", "domain: two.dhakacart.com.bd")
    (tmp_path / "two.yaml").write_text(second.replace("tier: production", "tier: development"))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def problems_of(folder: Path, names: list[str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        load_environments(folder, folder, names)
    return caught.value.problems


def test_the_real_environments_load_in_order_of_tier() -> None:
    loaded = load_environments(ENVIRONMENTS, ROOT)
    assert [each.environment.name for each in loaded] == ["dev", "staging", "prod"]
    assert [each.environment.cluster.kind for each in loaded] == ["k3s", "eks", "eks"]
    assert [each.environment.database.multi_az for each in loaded] == [False, True, True]


def test_the_promised_bounds_of_production() -> None:
    shop = load_environment(ENVIRONMENTS / "prod.yaml").environment.shop
    assert (shop.backend.replicas.min, shop.backend.replicas.max) == (3, 10)
    assert (shop.frontend.replicas.min, shop.frontend.replicas.max) == (3, 8)
    assert shop.sale.concurrent_users == 100_000


def test_every_tier_default_is_used_and_valid(tmp_path: Path) -> None:
    for tier in TIER_DEFAULTS:
        (tmp_path / "good.yaml").write_text(GOOD.replace("tier: production", f"tier: {tier}"))
        loaded = load_environment(tmp_path / "good.yaml", tmp_path)
        assert (
            loaded.environment.database.backups.retention
            == (TIER_DEFAULTS[tier]["database"]["backups"]["retention"])
        )
        assert loaded.origin("database", "multiAz") == f"default of tier {tier}"


@pytest.fixture
def loaded(folder: Path) -> LoadedEnvironment:
    return load_environment(folder / "one.yaml", folder)


def test_origin_is_the_line_of_the_file(loaded: LoadedEnvironment) -> None:
    assert loaded.origin("shop", "backend", "replicas", "max") == Place("one.yaml", 27, 12, 2)
    assert loaded.origin("shop", "payments", 1) == Place("one.yaml", 37, 19, 5)
    assert loaded.place("shop", "backend", "replicas") == Place("one.yaml", 25, 5, 8)


def test_origin_is_a_default(loaded: LoadedEnvironment) -> None:
    assert loaded.origin("monitoring", "retention") == "default of tier production"
    assert loaded.origin("cluster", "serviceCidr") == "default of the model (cluster.serviceCidr)"


@pytest.mark.parametrize("path", [("shop", "backend", "replcas"), ("domain", "x"), ("shop", "payments", 9)])
def test_origin_of_nothing(loaded: LoadedEnvironment, path: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        loaded.origin(*path)


def test_the_file_wins_over_the_default(folder: Path) -> None:
    edit(folder / "one.yaml", "  storage: 100Gi\n", "  storage: 100Gi\n  backups: {retention: 21d}\n")
    backups = load_environment(folder / "one.yaml", folder).environment.database.backups
    assert (backups.retention_days, backups.restore_drill) == (21, "weekly")


def test_two_that_get_along(folder: Path) -> None:
    assert [each.environment.name for each in load_environments(folder, folder)] == ["two", "one"]


def test_only_the_named_are_read(folder: Path) -> None:
    (folder / "one.yaml").write_text("broken: [")
    assert [each.environment.name for each in load_environments(folder, folder, ["two"])] == ["two"]


def test_unknown_name(folder: Path) -> None:
    (problem,) = problems_of(folder, ["ones"])
    assert (problem.code, problem.message) == ("DC-CFG-014", "there is no environment ones")
    assert problem.hint == "did you mean one?"


def test_overlapping_networks_name_both_lines(folder: Path) -> None:
    edit(folder / "two.yaml", "10.50.0.0/16", "10.40.128.0/17")
    (problem,) = problems_of(folder)
    assert problem.code == "DC-CFG-012"
    assert problem.message == "10.40.128.0/17 overlaps 10.40.0.0/16 of one"
    assert (problem.where, problem.also) == (Place("two.yaml", 11, 11, 14), (Place("one.yaml", 11, 11, 12),))


def test_one_domain_for_two(folder: Path) -> None:
    edit(folder / "two.yaml", "two.dhakacart.com.bd", "dhakacart.com.bd")
    (problem,) = problems_of(folder)
    assert problem.code == "DC-CFG-013"
    assert (problem.where, problem.also) == (Place("two.yaml", 7, 9, 16), (Place("one.yaml", 7, 9, 16),))


def test_mistakes_of_all_files_are_told_together(folder: Path) -> None:
    edit(folder / "one.yaml", "max: 10", "max: five")
    edit(folder / "two.yaml", "1.35", "latest")
    assert [problem.where and problem.where.file for problem in problems_of(folder)] == [
        "one.yaml",
        "two.yaml",
    ]


def test_folder_that_is_missing_or_empty(tmp_path: Path) -> None:
    assert (
        problems_of(tmp_path / "nowhere")[0].message == "the folder cannot be read: no such file or directory"
    )
    assert problems_of(tmp_path)[0].message == "the folder has no environment"


def test_yml_is_not_overlooked(folder: Path) -> None:
    (folder / "two.yaml").rename(folder / "two.yml")
    (problem,) = problems_of(folder)
    assert (problem.where, problem.hint) == (Place("two.yml"), "name it two.yaml")


def test_file_outside_of_the_root_keeps_its_name(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    assert load_environment(folder / "one.yaml", elsewhere).document.file == (folder / "one.yaml").as_posix()


def test_loading_is_quick() -> None:
    load_environment(ENVIRONMENTS / "prod.yaml")  # the first one pays for what is built once
    times = []
    for _ in range(5):
        start = time.process_time()
        load_environment(ENVIRONMENTS / "prod.yaml")
        times.append(time.process_time() - start)
    assert min(times) < 0.025
