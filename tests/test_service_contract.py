"""docs/service-contract.md is what the manifests say: ports, probes, settings, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generator.config.load import load_environment
from generator.render.apps import load_apps
from generator.render.render import render
from generator.render.templates import Templates

ROOT = Path(__file__).parents[1]
CONTRACT = (ROOT / "docs" / "service-contract.md").read_text(encoding="utf-8")
COLUMNS = {"shop-backend": 1, "shop-migrate": 2, "shop-frontend": 3}


@cache
def containers(environment: str) -> dict[str, dict[str, Any]]:
    """Container name → container of the shop's three workloads."""
    loaded = load_environment(ROOT / "environments" / f"{environment}.yaml", ROOT)
    rendered = render(loaded, load_apps(ROOT / "apps", ROOT), Templates(ROOT / "apps"))
    pods = [
        obj.body["spec"]["template"]["spec"] for obj in rendered.objects if obj.kind in ("Deployment", "Job")
    ]
    return {container["name"]: container for pod in pods for container in pod["containers"]}


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the first table under a heading."""
    section = CONTRACT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def settings_of(workload: str) -> set[str]:
    """The variables that the contract gives a workload."""
    return {
        name
        for cells in rows("Settings")
        if cells[COLUMNS[workload]] == "✓"
        for name in re.findall(r"`(SHOP_\w+)`", cells[0])
    }


@pytest.mark.parametrize("workload", COLUMNS)
def test_production_sets_exactly_the_variables_of_the_contract(workload: str) -> None:
    assert {item["name"] for item in containers("prod")[workload]["env"]} == settings_of(workload)


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
@pytest.mark.parametrize("workload", COLUMNS)
def test_no_environment_sets_another_variable(environment: str, workload: str) -> None:
    assert {item["name"] for item in containers(environment)[workload]["env"]} <= settings_of(workload)


def test_ports_are_those_of_the_contract() -> None:
    documented = {(int(cells[0]), cells[1].strip("`")) for cells in rows("Ports") if cells[0].isdigit()}
    rendered = {
        (port["containerPort"], port["name"])
        for container in containers("prod").values()
        for port in container.get("ports", [])
    }
    assert rendered == documented


@pytest.mark.parametrize("workload", ["shop-backend", "shop-frontend"])
def test_probes_ask_the_paths_of_the_contract(workload: str) -> None:
    documented = {path for cells in rows("Probes") for path in re.findall(r"^`(/\w+)`$", cells[0])}
    container = containers("prod")[workload]
    asked = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert asked == documented


@pytest.mark.parametrize("workload", ["shop-backend", "shop-migrate"])
def test_secrets_come_as_files_below_the_mounted_folder(workload: str) -> None:
    container = containers("prod")[workload]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    values = {item["name"]: item["value"] for item in container["env"]}
    secret = {name: value for name, value in values.items() if name.endswith("_FILE") and "_CA_" not in name}
    assert secret
    assert all(str(Path(value).parent) in mounted for value in secret.values())
