"""docs/bootstrap.md names what is really rendered: files, chart, secrets, all that Argo CD starts with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from argocd.argo_model import by_kind, sources
from generator.argocd import with_argocd
from generator.config.load import load_environments
from generator.config.names import SECRETS
from generator.output.tree import tree
from generator.render.apps import load_apps
from generator.render.model import Rendered
from generator.render.render import render
from generator.render.templates import Templates

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bootstrap.md").read_text("utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
PATTERNS = sorted(set(re.findall(r"clusters/\$ENV/([\w./*-]+)", SHELL)))


@pytest.fixture(scope="module", params=["dev", "staging", "prod"])
def rendered(request: pytest.FixtureRequest) -> Rendered:
    folder = ROOT / "apps"
    environments = {each.environment.name: each for each in load_environments(ROOT / "environments", ROOT)}
    return with_argocd(render(environments[request.param], load_apps(folder, ROOT), Templates(folder)))


def applied_before(rendered: Rendered) -> set[str]:
    """The rendered files that the commands apply before Argo CD is installed."""
    before = SHELL[: SHELL.index("helm template")]
    patterns = re.findall(r"clusters/\$ENV/(manifests/[\w./*-]+)", before)
    return {path for path in tree(rendered) for pattern in patterns if fnmatch(path, pattern)}


def test_every_file_that_is_named_is_rendered(rendered: Rendered) -> None:
    files = list(tree(rendered))
    assert PATTERNS
    assert [pattern for pattern in PATTERNS if not any(fnmatch(file, pattern) for file in files)] == []


def test_the_chart_is_the_one_that_argo_cd_will_manage_itself_by(rendered: Rendered) -> None:
    chart, *_ = sources(by_kind(rendered, "Application")["argo-cd"])
    release = chart["helm"]["releaseName"]
    assert f"helm template {release} {chart['chart']} " in SHELL
    assert f"--repo {chart['repoURL']} --version {chart['targetRevision']} " in SHELL


def test_argo_cds_pods_have_their_priority_class(rendered: Rendered) -> None:
    wanted = set(_values_of(rendered.values["argo-cd"], "priorityClassName"))
    applied = applied_before(rendered)
    assert wanted
    assert {f"manifests/foundation/priorityclass-{name}.yaml" for name in wanted} <= applied


def test_argo_cd_does_not_cut_itself_off(rendered: Rendered) -> None:
    policies = {
        path for path in tree(rendered) if path.startswith("manifests/argo-cd/networkpolicy-")
    }  # the foundation denies by default, and comes first
    assert policies
    assert policies <= applied_before(rendered)


def test_the_namespace_is_there_first() -> None:
    assert SHELL.index("namespace-argocd.yaml") < SHELL.index("networkpolicy-") < SHELL.index("helm template")


def test_the_project_is_applied_before_the_root() -> None:
    handing_over = SHELL[SHELL.index("appproject-root.yaml") :]
    assert "apply -f clusters/$ENV/argocd/root.yaml" in handing_over


def test_every_secret_is_named_with_its_keys() -> None:
    rows = {
        match[1]: set(re.findall(r"`([^`]+)`", match[2]))
        for match in re.finditer(r"^\| `([a-z-]+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    }
    assert rows == {name: set(keys) for name, keys in SECRETS.items()}


def _values_of(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from _values_of(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _values_of(item, key)
