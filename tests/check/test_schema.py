"""Objects against schemas: fixture pairs, messages in words, names, what is missing, speed of growth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from generator.check.schema import check_schema
from generator.problem import Problem
from generator.render.model import Obj
from generator.render.parse import parse

FIXTURES = Path(__file__).parent / "schema"
VERSION = "1.35"


@pytest.fixture(scope="module")
def cache() -> Path:
    """The checkout's own cache: schemas are derived once for all runs."""
    return Path(__file__).parents[2] / ".cache"


def objects(path: Path) -> list[Obj]:
    return [Obj("sample", "apps/sample/x.yaml.j2", body) for body in parse(path.read_text())]


def obj(api_version: str, kind: str, name: str = "sample", **fields: Any) -> Obj:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return Obj(
        "sample",
        "apps/sample/x.yaml.j2",
        {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields},
    )


def said(problem: Problem) -> str:
    return f"{problem.code} {problem.message}" + (f" ({problem.hint})" if problem.hint else "")


def expected(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line.removeprefix("# ") for line in lines if line.startswith("# ")]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("ok/*.yaml")), ids=lambda path: path.stem)
def test_good_objects_pass(path: Path, cache: Path) -> None:
    assert check_schema(objects(path), VERSION, cache) == []


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("bad/*.yaml")), ids=lambda path: path.stem)
def test_bad_objects_are_refused_in_these_words(path: Path, cache: Path) -> None:
    problems = check_schema(objects(path), VERSION, cache)
    assert sorted(map(said, problems)) == sorted(expected(path))


def test_a_problem_names_the_template_and_the_object(cache: Path) -> None:
    [problem] = check_schema(objects(FIXTURES / "bad/misspelt-field.yaml"), VERSION, cache)
    assert problem.where is not None
    assert problem.where.file == "apps/sample/x.yaml.j2"
    assert problem.subject == "Deployment shop/shop-backend"
    assert problem.severity == "error"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (obj("v1", "ConfigMap", "Foo_Bar"), 'metadata.name: "Foo_Bar" is no name of a ConfigMap'),
        (obj("v1", "ConfigMap", "a" * 254), "characters, a ConfigMap may have 253"),
        (obj("v1", "ConfigMap", "a..b"), 'metadata.name: "a..b" is no name of a ConfigMap'),
        (obj("v1", "Service", "1st"), 'metadata.name: "1st" is no name of a Service'),
        (obj("v1", "Service", "a.b"), 'metadata.name: "a.b" is no name of a Service'),
        (obj("v1", "Namespace", "a.b"), 'metadata.name: "a.b" is no name of a Namespace'),
        (obj("batch/v1", "CronJob", "a" * 53), "has 53 characters, a CronJob may have 52"),
        (obj("batch/v1", "Job", "a" * 64), "has 64 characters, a Job may have 63"),
        (obj("rbac.authorization.k8s.io/v1", "Role", "a/b"), 'metadata.name: "a/b" is no name of a Role'),
        (obj("v1", "ConfigMap", metadata={"namespace": "a.b"}), 'metadata.namespace: "a.b" is no name'),
        (
            obj("v1", "ConfigMap", metadata={"labels": {"a b": "c"}}),
            'labels["a b"]: the key is not well-formed',
        ),
        (obj("v1", "ConfigMap", metadata={"labels": {"Ex.com/a": "c"}}), "before / is no domain name"),
        (obj("v1", "ConfigMap", metadata={"labels": {"/a": "c"}}), "before / is no domain name"),
        (obj("v1", "ConfigMap", metadata={"labels": {"a" * 64: "c"}}), "64 characters after its prefix"),
        (
            obj("v1", "ConfigMap", metadata={"labels": {"a": "b" * 64}}),
            "has 64 characters, a label may have 63",
        ),
        (
            obj("v1", "ConfigMap", metadata={"labels": {"a": "no spaces"}}),
            '"no spaces" is no value of a label',
        ),
        (obj("v1", "ConfigMap", metadata={"annotations": {"a b": "c"}}), "annotations"),
        (obj("v1", "ConfigMap", metadata={"annotations": {"a": "x" * 262144}}), "262144 are allowed"),
    ],
)
def test_names_labels_and_keys_that_the_api_server_refuses(bad: Obj, message: str, cache: Path) -> None:
    problems = [problem for problem in check_schema([bad], VERSION, cache) if problem.code == "DC-SCH-004"]
    assert len(problems) == 1
    assert message in problems[0].message


@pytest.mark.parametrize(
    "good",
    [
        obj(
            "v1",
            "ConfigMap",
            "a.b-c.1",
            metadata={"labels": {"example.com/A_b.c": ""}, "annotations": {"A/b": ""}},
        ),
        obj("rbac.authorization.k8s.io/v1", "ClusterRole", "system:sample:Reader"),
        obj("batch/v1", "CronJob", "a" * 52),
    ],
)
def test_names_that_the_api_server_accepts(good: Obj, cache: Path) -> None:
    assert [p for p in check_schema([good], VERSION, cache) if p.code == "DC-SCH-004"] == []


def test_labels_of_a_pod_template_are_looked_at(cache: Path) -> None:
    [deployment] = objects(FIXTURES / "ok/deployment.yaml")
    deployment.body["spec"]["template"]["metadata"]["labels"]["note"] = "free text"
    [problem] = check_schema([deployment], VERSION, cache)
    assert problem.message.startswith("spec.template.metadata.labels.note: ")


def test_missing_crds_are_said_once_and_built_in_kinds_checked(tmp_path: Path, cache: Path) -> None:
    names = ("ok/application", "ok/http-route", "bad/misspelt-field", "ok/deployment")
    mixed = [found for name in names for found in objects(FIXTURES / f"{name}.yaml")]
    problems = check_schema(mixed, VERSION, cache, tmp_path / "nowhere")
    assert [problem.code for problem in problems] == ["DC-SCH-003", "DC-SCH-001"]
    assert "make schemas" in problems[0].hint


def test_an_unknown_kubernetes_version_lists_the_known_ones(cache: Path) -> None:
    [problem] = check_schema(objects(FIXTURES / "ok/deployment.yaml"), "1.99", cache)
    assert problem.code == "DC-SCH-006"
    assert "1.35" in problem.hint


def test_kinds_come_and_go_with_the_version(cache: Path) -> None:
    policy = obj(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        spec={"validations": [{"expression": "true"}]},
    )
    assert check_schema([policy], "1.35", cache) == []
    assert [problem.code for problem in check_schema([policy], "1.29", cache)] == ["DC-SCH-002"]


@pytest.mark.parametrize(
    "broken",
    [
        obj("v1", "ConfigMap", data={1: "a key that is no text"}),
        obj("v1", "ConfigMap", data=["no map"]),
        obj("v1", "ConfigMap", data={"a": 10**40}),
        obj("v1", "ConfigMap", data={"a": float("nan")}),
        obj("apps/v1", "Deployment", spec={"template": ["no map"]}),
        obj("apps/v1", "Deployment", spec="no map"),
        obj("v1", "ConfigMap", metadata={"labels": {"a": ["no text"]}}),
        obj("v1", "ConfigMap", metadata={"labels": ["no map"], "annotations": 3, "namespace": 4}),
        obj("../../etc", "passwd"),
        obj("v1", "../../etc/passwd"),
    ],
)
def test_any_shape_is_a_problem_and_no_traceback(broken: Obj, cache: Path) -> None:
    problems = check_schema([broken], VERSION, cache)
    assert problems
    assert {problem.code for problem in problems} <= {"DC-SCH-001", "DC-SCH-002"}


def test_two_objects_with_the_same_fault_are_two_problems(cache: Path) -> None:
    bad = [obj("v1", "ConfigMap", name, dta={}) for name in ("a", "b")]
    assert [problem.subject for problem in check_schema(bad, VERSION, cache)] == [
        "ConfigMap a",
        "ConfigMap b",
    ]


def test_many_objects_cost_microseconds_each(cache: Path) -> None:
    [good] = objects(FIXTURES / "ok/deployment.yaml")
    check_schema([good], VERSION, cache)
    start = time.process_time()
    assert check_schema([good] * 5_000, VERSION, cache) == []
    assert time.process_time() - start < 0.5  # 5,000 × 100 µs; about 15 µs are usual
