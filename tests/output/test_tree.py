"""Rendered objects as files: names, headers, and what must not meet in one place."""

from __future__ import annotations

from typing import Any, cast

import pytest
import ryaml

from generator.output.tree import tree
from generator.problem import Problem, ProblemsError
from generator.render.app import App
from generator.render.model import Obj, Rendered

NEW_APP: Any = App.model_construct  # the tree reads but two fields of an app
APPS = (
    NEW_APP(name="shop-backend", namespace="shop"),
    NEW_APP(name="foundation", namespace="cluster-services"),
)


def obj(kind: str, name: str, namespace: str = "shop", **more: Any) -> Obj:
    """An object of shop-backend, from a template of its kind."""
    app, api_version, source = more.pop("app", "shop-backend"), more.pop("api", "v1"), more.pop("source", "")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}
    return Obj(app, source or f"apps/{app}/{kind.lower()}.yaml.j2", body)


def rendered(*objects: Obj, argocd: tuple[Obj, ...] = (), values: dict[str, Any] | None = None) -> Rendered:
    return Rendered(cast("Any", None), APPS, objects, values or {}, argocd)  # the tree reads no config


def problems(*objects: Obj, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        tree(rendered(*objects, **more))
    return caught.value.problems


def test_one_object_a_file_named_by_kind_and_name() -> None:
    files = tree(rendered(obj("Service", "backend"), obj("ClusterRole", "reader", namespace="")))
    assert list(files) == [
        "manifests/shop-backend/service-backend.yaml",
        "manifests/shop-backend/clusterrole-reader.yaml",
    ]


def test_a_file_says_what_to_edit_and_holds_the_object() -> None:
    (content,) = tree(rendered(obj("ConfigMap", "texts", data={"on": "ঢাকা"}))).values()
    header, _, body = content.decode("utf-8").partition("\n")
    assert header == "# Rendered from apps/shop-backend/configmap.yaml.j2; edit that and run `make render`."
    assert ryaml.loads(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "texts", "namespace": "shop"},
        "data": {"on": "ঢাকা"},
    }
    assert content.endswith(b"\n")
    assert not content.endswith(b"\n\n")


def test_objects_outside_the_namespace_of_their_app_carry_theirs_in_the_name() -> None:
    denies = [
        obj("NetworkPolicy", "default-deny", namespace, app="foundation") for namespace in ("shop", "edge")
    ]
    own = obj("NetworkPolicy", "default-deny", "cluster-services", app="foundation")
    assert list(tree(rendered(own, *denies))) == [
        "manifests/foundation/networkpolicy-default-deny.yaml",
        "manifests/foundation/networkpolicy-default-deny.shop.yaml",
        "manifests/foundation/networkpolicy-default-deny.edge.yaml",
    ]


def test_adding_an_object_renames_no_file() -> None:
    objects = [
        obj(kind, name, namespace, app=app)
        for kind in ("Role", "RoleBinding")
        for name in ("reader", "writer")
        for app, namespace in (("foundation", "shop"), ("foundation", "edge"), ("shop-backend", "shop-2"))
    ]
    whole = list(tree(rendered(*objects)))
    assert len(set(whole)) == len(objects)
    for missing in range(len(objects)):
        rest = [*objects[:missing], *objects[missing + 1 :]]
        assert list(tree(rendered(*rest))) == [*whole[:missing], *whole[missing + 1 :]]


def test_names_that_are_no_file_names_are_made_safe() -> None:
    files = tree(rendered(obj("ClusterRole", "system:Aggregate to view", namespace="")))
    assert list(files) == ["manifests/shop-backend/clusterrole-system_aggregate_to_view.yaml"]


def test_argocd_objects_and_values_have_folders_of_their_own() -> None:
    argocd = (
        obj("Application", "root", "argocd", app="argocd"),
        obj("Application", "loki", "argocd", app="argocd"),
        obj("AppProject", "root", "argocd", app="argocd"),
    )
    files = tree(rendered(argocd=argocd, values={"loki": {"loki": {"auth_enabled": False}}}))
    assert list(files) == [
        "argocd/root.yaml",
        "argocd/application-loki.yaml",
        "argocd/appproject-root.yaml",
        "values/loki.yaml",
    ]
    assert files["values/loki.yaml"].decode() == (
        "# Rendered from apps/loki/values.yaml.j2; edit that and run `make render`.\n"
        "loki:\n"
        "  auth_enabled: false\n"
    )


def test_an_object_rendered_by_two_apps_is_refused_naming_both() -> None:
    (problem,) = problems(obj("Service", "web"), obj("Service", "web", app="foundation"))
    assert problem.code == "DC-OUT-002"
    assert "apps/shop-backend/service.yaml.j2 and apps/foundation/service.yaml.j2" in problem.message
    assert str(problem.where) == "apps/foundation/service.yaml.j2"
    assert [str(place) for place in problem.also] == ["apps/shop-backend/service.yaml.j2"]
    assert problem.subject == "Service shop/web"
    assert problem.hint


def test_an_object_of_an_app_must_not_be_one_of_argo_cd() -> None:
    application = obj("Application", "root", "argocd", api="argoproj.io/v1alpha1")
    (problem,) = problems(application, argocd=(application,))
    assert problem.code == "DC-OUT-002"


def test_a_new_api_version_makes_no_other_object() -> None:
    two = (obj("CronJob", "a", api="batch/v1"), obj("CronJob", "a", api="batch/v1beta1"))
    assert [problem.code for problem in problems(*two)] == ["DC-OUT-002"]


def test_kinds_of_two_groups_must_not_share_a_file() -> None:
    ours = obj("Cluster", "a", api="one.example.com/v1", source="apps/shop-backend/one.yaml.j2")
    theirs = obj("Cluster", "a", api="two.example.com/v1", source="apps/shop-backend/two.yaml.j2")
    (problem,) = problems(ours, theirs)
    assert problem.code == "DC-OUT-001"
    assert "manifests/shop-backend/cluster-a.yaml" in problem.message
    assert "one.yaml.j2" in problem.message
    assert "two.yaml.j2" in problem.message


def test_names_that_differ_only_in_case_must_not_share_a_file() -> None:
    two = (obj("ClusterRole", "Reader", namespace=""), obj("ClusterRole", "reader", namespace=""))
    assert [problem.code for problem in problems(*two)] == ["DC-OUT-001"]


def test_values_of_two_apps_that_differ_only_in_case_must_not_share_a_file() -> None:
    (problem,) = problems(values={"Loki": {}, "loki": {}})
    assert problem.code == "DC-OUT-001"
    assert problem.subject == "Helm values loki"


def test_a_value_that_yaml_cannot_hold_names_template_object_and_field() -> None:
    (problem,) = problems(obj("Thing", "a", spec={"items": [{"ratio": float("nan")}]}))
    assert problem.code == "DC-OUT-008"
    assert str(problem.where) == "apps/shop-backend/thing.yaml.j2"
    assert problem.subject == "Thing shop/a"
    assert "spec.items[0].ratio" in problem.message


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        obj("A", "twice"), obj("A", "twice"), obj("B", "x"), obj("B", "X"), obj("C", "nan", spec=float("inf"))
    )
    assert sorted(problem.code for problem in found) == ["DC-OUT-001", "DC-OUT-002", "DC-OUT-008"]
