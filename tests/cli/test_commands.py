"""The other commands, as users start them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from cli.checkout import REPOSITORY, Checkout
from generator.cli import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(checkout: Checkout, command: str) -> None:
    done = checkout.run(command, "--help")
    assert done.returncode == 0
    assert f"dhakacart {command}" in done.stdout


def test_help_names_every_command_and_the_exit_statuses(checkout: Checkout) -> None:
    text = checkout.run("--help").stdout
    assert all(f"\n  {command} " in text for command in COMMANDS)
    assert "Exit status: 0 clean" in text


def test_an_unknown_command_is_a_usage_error(checkout: Checkout) -> None:
    done = checkout.run("rendr")
    assert done.returncode == 2
    assert "rendr" in done.stderr


def test_validate_finds_the_tree_valid(checkout: Checkout) -> None:
    done = checkout.run("validate", "--today", "2026-11-22")
    assert done.returncode == 0, done.stderr
    assert ": valid" in done.stdout


def test_validate_in_json_is_json_alone(checkout: Checkout) -> None:
    checkout.edit("apps/shop-backend/hpa.yaml.j2", "maxReplicas", "maxReplcas")
    done = checkout.run("validate", "--env", "prod", "--format", "json")
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 1
    assert "maxReplicas" in json.dumps([problem for problem in problems if problem["code"] == "DC-SCH-001"])


def test_validate_annotates_a_pull_request(checkout: Checkout) -> None:
    checkout.edit("environments/prod.yaml", "replicas:", "replcas:")
    done = checkout.run("validate", "--format", "github")
    assert done.returncode == 2
    assert "::error file=environments/prod.yaml,line=" in done.stdout


def test_the_calendar_fails_validate_and_only_warns_render(checkout: Checkout) -> None:
    done = checkout.run("validate", "--today", "2030-01-01")
    assert done.returncode == 1
    assert "error[DC-K8S-002]" in done.stderr
    assert checkout.run("render", "--check").returncode == 0


def test_explain_gives_value_origin_and_reach(checkout: Checkout) -> None:
    done = checkout.run("explain", "prod", "shop.backend.replicas.max", "--format", "json")
    answer = json.loads(done.stdout)
    lines = (checkout.root / "environments" / "prod.yaml").read_text(encoding="utf-8").splitlines()
    line = 1 + lines.index("      max: 10")
    assert (answer["value"], answer["origin"]) == (10, f"environments/prod.yaml:{line}:12")
    sources = {reach["source"] for reach in answer["reaches"]}
    assert "apps/shop-backend/hpa.yaml.j2" in sources
    assert "apps/shop-frontend/hpa.yaml.j2" not in sources


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("database.multiAz", "default of tier production"),
        ("edge.nodePorts.https", "default of the model"),
        ("domain", "environments/prod.yaml:"),
    ],
)
def test_explain_names_the_default_that_decided(checkout: Checkout, path: str, origin: str) -> None:
    text = checkout.run("explain", "prod", path).stdout
    assert f"from {origin}" in text


def test_explain_suggests_the_nearest_name(checkout: Checkout) -> None:
    done = checkout.run("explain", "prod", "shop.bakend.replicas")
    assert done.returncode == 2
    assert "did you mean `backend`?" in done.stderr


def test_the_committed_schema_and_pages_are_current(checkout: Checkout) -> None:
    shutil.copytree(REPOSITORY / "docs" / "rules", checkout.root / "docs" / "rules")
    shutil.copy(REPOSITORY / "docs" / "cost.md", checkout.root / "docs")
    assert checkout.run("schema", "--check").returncode == 0
    assert checkout.run("docs").returncode == 0


def test_stale_pages_are_found_and_mended(checkout: Checkout) -> None:
    (checkout.root / "docs" / "rules").mkdir(parents=True)
    (checkout.root / "docs" / "rules" / "DC-OLD-001.md").write_text("old", encoding="utf-8")
    checkout.edit("environments/environment.schema.json", "{", "{ ")
    assert checkout.run("docs").returncode == 1
    assert checkout.run("schema", "--check").returncode == 1
    assert checkout.run("docs", "--write").returncode == 0
    assert checkout.run("schema", "--write").returncode == 0
    assert checkout.run("docs").returncode == 0
    assert not (checkout.root / "docs" / "rules" / "DC-OLD-001.md").exists()


def test_an_edit_that_costs_makes_the_page_of_costs_stale(checkout: Checkout) -> None:
    assert checkout.run("docs", "--write").returncode == 0
    checkout.edit("environments/prod.yaml", "    max: 12 #", "    max: 15 #")
    done = checkout.run("docs")
    assert (done.returncode, done.stdout) == (1, "~ docs/cost.md\n")
    assert "run `make docs`" in done.stderr


def test_schema_prints_json(checkout: Checkout) -> None:
    committed = (checkout.root / "environments" / "environment.schema.json").read_text(encoding="utf-8")
    assert json.loads(checkout.run("schema").stdout) == json.loads(committed)


def test_facts_show_tables_with_sources(checkout: Checkout) -> None:
    assert "m7g.large" in checkout.run("facts", "ec2").stdout
    assert "source: " in checkout.run("facts", "ec2").stdout
    assert {table["name"] for table in json.loads(checkout.run("facts", "--format", "json").stdout)} >= {
        "ec2",
        "rds",
    }


@pytest.mark.parametrize("like", ["backend"])
def test_a_new_app_renders_and_passes_every_check(checkout: Checkout, like: str) -> None:
    assert checkout.run("new-app", "search", "--like", like).returncode == 0
    done = checkout.run("render")
    assert done.returncode == 0, done.stderr
    assert "clusters/prod/manifests/search/" in done.stdout
    again = checkout.run("new-app", "search")
    assert again.returncode == 2
    assert "already" in again.stderr


def test_a_new_environment_renders_and_passes_every_check(checkout: Checkout) -> None:
    arguments = ["--domain", "perf.dhakacart.com.bd", "--cidr", "10.40.0.0/16", "--account", "444455556666"]
    done = checkout.run("new-env", "perf", "--from", "staging", *arguments)
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load((checkout.root / "environments" / "perf.yaml").read_text(encoding="utf-8"))
    assert (document["name"], document["aws"]["network"]["cidr"]) == ("perf", "10.40.0.0/16")
    done = checkout.run("render", "--env", "perf")
    assert done.returncode == 0, done.stderr
    assert (checkout.root / "clusters" / "perf" / "argocd" / "root.yaml").is_file()


def test_a_new_environment_with_a_taken_range_is_refused_and_not_written(checkout: Checkout) -> None:
    arguments = ["--domain", "perf.dhakacart.com.bd", "--cidr", "10.30.0.0/16", "--account", "444455556666"]
    done = checkout.run("new-env", "perf", "--from", "staging", *arguments)
    assert done.returncode == 2
    assert "environments/prod.yaml" in done.stderr
    assert not (checkout.root / "environments" / "perf.yaml").exists()


def test_dry_runs_of_scaffolds_write_nothing(checkout: Checkout) -> None:
    before = sorted(checkout.root.rglob("*"))
    assert "# apps/search/app.yaml" in checkout.run("new-app", "search", "--dry-run").stdout
    assert sorted(path for path in checkout.root.rglob("*") if ".cache" not in path.parts) == [
        path for path in before if ".cache" not in path.parts
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(checkout: Checkout, shell: str) -> None:
    assert "_DHAKACART_COMPLETE" in checkout.run("completion", shell).stdout


def test_completion_knows_the_environments(checkout: Checkout) -> None:
    words = checkout.run(
        _DHAKACART_COMPLETE="bash_complete", COMP_WORDS="dhakacart render --env p", COMP_CWORD="3"
    ).stdout
    assert "plain,prod" in words


def test_a_defect_is_owned_up_to_without_a_traceback(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = checkout.root / "sitecustomize"
    broken.mkdir()
    fail = "def fail(*a): raise RuntimeError('boom')"
    code = f"import generator.workflow\n{fail}\ngenerator.workflow.build = fail\n"
    (broken / "sitecustomize.py").write_text(code, encoding="utf-8")
    done = checkout.run("validate", PYTHONPATH=str(broken))
    assert done.returncode == 2
    assert "a defect in this program, not in your input: RuntimeError: boom" in done.stderr


def test_an_unreadable_folder_is_said(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "environments")
    Path(checkout.root / "environments").write_text("", encoding="utf-8")
    done = checkout.run("--root", str(checkout.root), "render")
    assert done.returncode == 2
    assert "environments" in done.stderr
