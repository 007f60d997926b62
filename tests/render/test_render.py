"""Apps and an environment → objects: conventions, dependencies, failures, and what a value reaches."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from generator.config.load import LoadedEnvironment, load_environment
from generator.problem import Problem, ProblemsError
from generator.render.apps import load_apps
from generator.render.model import Obj, Rendered
from generator.render.reach import Reach, another, reaches
from generator.render.render import render
from generator.render.templates import Templates
from generator.render.trace import Trace

REPOSITORY = Path(__file__).parents[2]
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data: {{}}
"""


class Checkout:
    """A small `apps/` folder to render."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "apps"
        self.folder.mkdir()

    def app(self, name: str, *depends_on: str, extra: str = "", **templates: str) -> None:
        folder = self.folder / name
        folder.mkdir()
        text = "description: An app for a test\nowner: shop\nproject: shop\nnamespace: shop\n"
        (folder / "app.yaml").write_text(
            f"{text}dependsOn: [{', '.join(depends_on)}]\n{extra}", encoding="utf-8"
        )
        for file, content in templates.items():
            (folder / f"{file}.yaml.j2").write_text(content, encoding="utf-8")

    def render(self) -> Rendered:
        apps = load_apps(self.folder, self.root)
        return render(dev(), apps, Templates(self.folder))

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(ProblemsError) as caught:
            self.render()
        return caught.value.problems


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def dev() -> LoadedEnvironment:
    return load_environment(REPOSITORY / "environments" / "dev.yaml", REPOSITORY)


def only(rendered: Rendered) -> Obj:
    (obj,) = rendered.objects
    return obj


def test_every_object_gets_namespace_labels_and_its_source(checkout: Checkout) -> None:
    checkout.app("a", cm=CONFIG_MAP.format(name="x"))
    obj = only(checkout.render())
    assert (obj.namespace, obj.source, str(obj.identity)) == ("shop", "apps/a/cm.yaml.j2", "ConfigMap shop/x")
    assert obj.body["metadata"]["labels"] == {
        "app.kubernetes.io/name": "a",
        "app.kubernetes.io/part-of": "dhakacart",
        "app.kubernetes.io/managed-by": "argocd",
        "dhakacart.com.bd/owner": "shop",
    }


def test_what_a_template_says_wins_over_the_conventions(checkout: Checkout) -> None:
    text = CONFIG_MAP.format(name="x").replace(
        "  name: x", "  name: x\n  namespace: edge\n  labels: {app.kubernetes.io/name: other}"
    )
    checkout.app("a", cm=text)
    obj = only(checkout.render())
    assert obj.namespace == "edge"
    assert obj.body["metadata"]["labels"]["app.kubernetes.io/name"] == "other"


def test_cluster_scoped_kinds_get_no_namespace_and_data_is_kept(checkout: Checkout) -> None:
    checkout.app("a", ns="apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
    obj = only(checkout.render())
    assert obj.namespace == ""
    annotations = obj.body["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
    assert annotations["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous"


def test_pod_templates_get_the_labels_too(checkout: Checkout) -> None:
    spec = "spec: {template: {spec: {containers: []}}}\n"
    checkout.app("a", d=f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\n{spec}")
    pod = only(checkout.render()).body["spec"]["template"]["metadata"]["labels"]
    assert pod["app.kubernetes.io/name"] == "a"


def test_so_does_the_pod_of_a_cron_job(checkout: Checkout) -> None:
    spec = "spec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}\n"
    checkout.app("a", d=f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: x}}\n{spec}")
    template = only(checkout.render()).body["spec"]["jobTemplate"]["spec"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "a"


@pytest.mark.parametrize("spec", ["", "spec: 3\n", "spec: {template: no}\n"])
def test_a_deployment_without_pods_is_left_to_the_schema(checkout: Checkout, spec: str) -> None:
    checkout.app("a", d=f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\n{spec}")
    assert only(checkout.render()).kind == "Deployment"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("kind: A\n", "apiVersion, metadata.name"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: 3}\n", "metadata.name"),
        ("apiVersion: 1\nkind: A\nmetadata: {name: a}\n", "apiVersion"),
        ("apiVersion: v1\nkind: A\nmetadata: [name]\n", "metadata.name"),
    ],
)
def test_what_is_no_kubernetes_object_is_refused(checkout: Checkout, text: str, lacks: str) -> None:
    checkout.app("a", t=text)
    (problem,) = checkout.problems()
    assert (problem.code, str(problem.where)) == ("DC-APP-005", "apps/a/t.yaml.j2")
    assert lacks in problem.message


def test_broken_yaml_names_the_templates_line_and_what_it_rendered(checkout: Checkout) -> None:
    checkout.app("a", t="apiVersion: v1\n{% if true %}\nkind: [A\n{% endif %}\nmetadata: {name: x}\n")
    (problem,) = checkout.problems()
    assert (problem.code, str(problem.where)) == ("DC-APP-004", "apps/a/t.yaml.j2:5")
    assert "metadata" in problem.hint


def test_every_failing_template_is_named_at_once(checkout: Checkout) -> None:
    checkout.app("a", one="{{ x }}\n", two=CONFIG_MAP.format(name="fine"), three="a: [\n")
    assert [str(problem.where) for problem in checkout.problems()] == [
        "apps/a/one.yaml.j2:1",
        "apps/a/three.yaml.j2:2",
    ]


def test_dependencies_come_first_and_equals_by_name(checkout: Checkout) -> None:
    checkout.app("c")
    checkout.app("a", "c")
    checkout.app("b")
    assert [app.name for app in checkout.render().apps] == ["b", "c", "a"]


def test_an_unknown_dependency_gets_the_nearest(checkout: Checkout) -> None:
    checkout.app("foundation")
    checkout.app("a", "fundation")
    (problem,) = checkout.problems()
    assert (problem.code, problem.hint) == ("DC-APP-011", "did you mean `foundation`?")
    assert str(problem.where) == "apps/a/app.yaml:5:13"


def test_a_circle_of_dependencies_is_written_out(checkout: Checkout) -> None:
    checkout.app("a", "b")
    checkout.app("b", "c")
    checkout.app("c", "a")
    (problem,) = checkout.problems()
    assert problem.code == "DC-APP-012"
    names = [part.strip("` ") for part in problem.message.split(":")[1].split("→")]
    needs = {"a": "b", "b": "c", "c": "a"}
    assert len(names) == 4
    assert all(needs[one] == other for one, other in pairwise(names))


def test_a_folder_without_app_yaml_is_named(checkout: Checkout) -> None:
    (checkout.folder / "empty").mkdir()
    (problem,) = checkout.problems()
    assert problem.where
    assert problem.where.file == "apps/empty/app.yaml"


def test_a_missing_apps_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        load_apps(tmp_path / "apps", tmp_path)
    assert caught.value.problems[0].code == "DC-APP-010"


def test_an_app_of_the_other_kind_of_cluster_takes_no_part(checkout: Checkout) -> None:
    checkout.app("a", extra="clusters: [eks]\n", t=CONFIG_MAP.format(name="x"))
    checkout.app("b", "a", t=CONFIG_MAP.format(name="y"))
    rendered = checkout.render()
    assert [app.name for app in rendered.apps] == ["b"]
    assert only(rendered).name == "y"


def test_chart_values_are_apart_from_objects(checkout: Checkout) -> None:
    checkout.app("a", extra="chart: loki\n", values="replicas: {{ env.shop.backend.replicas.min }}\n")
    rendered = checkout.render()
    assert (rendered.objects, rendered.values) == (
        (),
        {"a": {"replicas": dev().environment.shop.backend.replicas.min}},
    )


def reached(checkout: Checkout, *path: str) -> list[Reach]:
    return reaches(checkout.render(), Templates(checkout.folder), lambda _: (), path)


def test_a_value_reaches_the_objects_that_read_it(checkout: Checkout) -> None:
    checkout.app("a", reads=CONFIG_MAP.format(name="{{ env.domain }}"), other=CONFIG_MAP.format(name="x"))
    assert reached(checkout, "domain") == [
        Reach("apps/a/reads.yaml.j2", ("ConfigMap shop/dev.dhakacart.com.bd",))
    ]


def test_of_several_objects_those_are_reached_that_the_value_changes(checkout: Checkout) -> None:
    replicas = "{{ env.shop.backend.replicas.max }}"
    texts = [
        CONFIG_MAP.format(name=name).replace("{}", f'{{a: "{value}"}}')
        for name, value in (("x", replicas), ("y", 1))
    ]
    checkout.app("a", t=f"{{% set read = {replicas[2:-2]} %}}\n" + "---\n".join(texts))
    assert reached(checkout, "shop", "backend", "replicas") == [
        Reach("apps/a/t.yaml.j2", ("ConfigMap shop/x",))
    ]


def test_a_property_is_traced_to_what_it_is_computed_from() -> None:
    seen: set[tuple[str | int, ...]] = set()
    environment = Trace(dev().environment, (), seen)
    assert environment.shop.sale.orders_per_second == dev().environment.shop.sale.orders_per_second
    assert seen == {
        ("shop", "sale", "concurrentUsers"),
        ("shop", "sale", "secondsBetweenActions"),
        ("shop", "sale", "orderShare"),
    }


def test_a_part_written_whole_is_reached_by_all_its_values(checkout: Checkout) -> None:
    whole = CONFIG_MAP.format(name="x").replace("{}", "{a: {{ env.edge.node_ports | yaml | yaml }}}")
    checkout.app("a", t=f"{whole}---\n{CONFIG_MAP.format(name='y')}")
    everything = [Reach("apps/a/t.yaml.j2", ("ConfigMap shop/x", "ConfigMap shop/y"))]
    assert reached(checkout, "edge", "nodePorts", "https") == reached(checkout, "edge") == everything
    assert reached(checkout, "edge", "rateLimit") == []


def test_an_app_of_one_kind_of_cluster_is_reached_by_that_kind(checkout: Checkout) -> None:
    checkout.app("a", extra="clusters: [k3s]\n", t=CONFIG_MAP.format(name="x"))
    assert reached(checkout, "cluster", "kind") == [Reach("apps/a/t.yaml.j2", ("ConfigMap shop/x",))]


@pytest.mark.parametrize("value", [True, 0, 3, 0.5, "512Mi", "prod", "", ("a", "b"), ("a",)])
def test_another_value_is_another_of_the_same_form(value: object) -> None:
    assert another(value) != value
    assert type(another(value)) is type(value)
