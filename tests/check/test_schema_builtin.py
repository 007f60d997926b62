"""Schemas of built-in kinds: self-contained files under the names that kubeconform asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from generator.check.schema_builtin import builtin_schemas, file_name
from generator.check.schema_cache import INDEX
from generator.problem import ProblemsError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builtin_schemas("1.35", tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    ("kind", "api_version", "name"),
    [
        ("ConfigMap", "v1", "configmap-v1.json"),
        ("Deployment", "apps/v1", "deployment-apps-v1.json"),
        ("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterrole-rbac-v1.json"),
    ],
)
def test_files_are_named_by_kind_first_word_of_the_group_and_version(
    folder: Path, kind: str, api_version: str, name: str
) -> None:
    assert file_name(kind, api_version) == name
    assert (folder / name).is_file()
    assert json.loads((folder / INDEX).read_text())[kind] == [api_version]


def test_every_schema_compiles_alone_and_knows_its_kind(folder: Path) -> None:
    index = json.loads((folder / INDEX).read_text())
    names = {
        file_name(kind, version): (kind, version) for kind, versions in index.items() for version in versions
    }
    assert names.keys() == {path.name for path in folder.iterdir()} - {INDEX}
    for name, (kind, api_version) in names.items():
        validator = validator_for((folder / name).read_text())
        faults = list(
            validator.iter_errors({"apiVersion": api_version, "kind": kind, "metadata": {}, "nonsense": 1})
        )
        assert any(fault.kind.name == "additionalProperties" for fault in faults), name
        assert not validator.is_valid({"apiVersion": api_version, "kind": f"{kind}s", "metadata": {}})


def test_nothing_points_outside_and_no_prose_is_kept(folder: Path) -> None:
    text = (folder / "deployment-apps-v1.json").read_text()
    assert "_definitions.json" not in text
    assert "kubernetes.io" not in text.replace("http://json-schema.org", "")
    assert '"description":"' not in text


def test_a_second_call_only_reads(folder: Path) -> None:
    cache = folder.parents[2]
    written = (folder / INDEX).stat().st_mtime_ns
    assert builtin_schemas("1.35", cache) == folder
    assert (folder / INDEX).stat().st_mtime_ns == written


@pytest.mark.parametrize("version", ["1.24", "1.99", "", "../.."])
def test_unknown_versions_list_the_known_in_order(tmp_path: Path, version: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        builtin_schemas(version, tmp_path)
    assert "1.25, 1.26" in caught.value.problems[0].hint
    assert list(tmp_path.iterdir()) == []
