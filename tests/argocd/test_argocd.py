"""Apps → Argo CD's objects: waves, least privilege, sources. Small apps first, then the real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argocd.argo_model import apps, by_kind, object_allowed, repository_allowed, sources, sync_order, wave
from generator.argocd import with_argocd
from generator.argocd.charts import chart_kinds
from generator.argocd.waves import waves
from generator.config.load import load_environment, load_environments
from generator.facts.charts import charts
from generator.output.tree import tree
from generator.problem import ProblemsError
from generator.render.apps import load_apps
from generator.render.model import Identity, Rendered
from generator.render.render import render
from generator.render.templates import Templates

ROOT = Path(__file__).parents[2]
SERVER = "https://kubernetes.default.svc"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata: {{}}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"


class Checkout:
    """A small `apps/` folder, rendered for an environment of the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.apps = root / "apps"
        self.apps.mkdir()

    def app(self, name: str, *depends_on: str, extra: str = "", project: str = "shop", **files: str) -> None:
        folder = self.apps / name
        folder.mkdir()
        text = f"description: An app for a test\nowner: shop\nproject: {project}\nnamespace: {project}\n"
        (folder / "app.yaml").write_text(f"{text}dependsOn: [{', '.join(depends_on)}]\n{extra}", "utf-8")
        for file, content in files.items():
            (folder / f"{file}.yaml.j2").write_text(content, "utf-8")

    def render(self, environment: str = "prod") -> Rendered:
        loaded = load_environment(ROOT / "environments" / f"{environment}.yaml", ROOT)
        return with_argocd(render(loaded, load_apps(self.apps, self.root), Templates(self.apps)))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def small(checkout: Checkout) -> Rendered:
    checkout.app("ground", project="platform", namespace=NAMESPACE)
    checkout.app(
        "certs", "ground", project="platform", extra="chart: cert-manager\n", values="replicaCount: 2\n"
    )
    checkout.app("web", "certs", settings=CONFIG_MAP.format(name="web"))
    checkout.app("far", "ground", "web", settings=CONFIG_MAP.format(name="far"))
    return checkout.render()


class TestWaves:
    def test_the_longest_chain_decides(self, checkout: Checkout) -> None:
        rendered = small(checkout)
        assert {name: wave(obj) for name, obj in apps(rendered).items()} == {
            "ground": 0,
            "certs": 1,
            "web": 2,
            "far": 3,
        }

    def test_projects_come_first_and_the_root_last(self, checkout: Checkout) -> None:
        order = sync_order(small(checkout).argocd)
        assert order[0][1] == [f"AppProject {name}" for name in ("default", "platform", "root", "shop")]
        assert order[-1][1] == ["Application root"]

    def test_what_the_environment_does_not_have_is_not_waited_for(self, checkout: Checkout) -> None:
        checkout.app("only-eks", extra="clusters: [eks]\n", settings=CONFIG_MAP.format(name="only-eks"))
        checkout.app("web", "only-eks", settings=CONFIG_MAP.format(name="web"))
        assert wave(apps(checkout.render("prod"))["web"]) == 1
        assert wave(apps(checkout.render("dev"))["web"]) == 0
        assert "only-eks" not in apps(checkout.render("dev"))

    def test_nothing_depends_on_nothing(self) -> None:
        assert waves([]) == {}


class TestApplications:
    def test_plain_manifests_have_one_source(self, checkout: Checkout) -> None:
        application = apps(small(checkout))["web"]
        assert sources(application) == [
            {
                "repoURL": "https://github.com/dhakacart/platform.git",
                "targetRevision": "main",
                "path": "clusters/prod/manifests/web",
            }
        ]
        assert application.body["spec"]["project"] == "shop"
        assert application.body["spec"]["destination"] == {"server": SERVER, "namespace": "shop"}
        assert application.namespace == "argocd"
        assert application.source == "apps/web/app.yaml"

    def test_a_chart_is_pinned_and_reads_its_values_here(self, checkout: Checkout) -> None:
        chart, values = sources(apps(small(checkout))["certs"])
        assert chart["chart"] == "cert-manager"
        assert chart["targetRevision"] == charts()["cert-manager"].version
        assert chart["helm"] == {
            "releaseName": "certs",
            "valueFiles": ["$values/clusters/prod/values/certs.yaml"],
        }
        assert values["ref"] == "values"
        assert "path" not in values

    def test_a_chart_may_have_manifests_beside_it(self, checkout: Checkout) -> None:
        checkout.app("certs", extra="chart: cert-manager\n", more=CONFIG_MAP.format(name="more"))
        chart, manifests = sources(apps(checkout.render())["certs"])
        assert "valueFiles" not in chart["helm"]
        assert manifests["path"] == "clusters/prod/manifests/certs"

    def test_an_oci_registry_is_written_without_its_scheme(self, checkout: Checkout) -> None:
        checkout.app("gateway", extra="chart: gateway-helm\n")
        (chart,) = sources(apps(checkout.render())["gateway"])
        assert "://" not in chart["repoURL"]

    def test_an_app_without_objects_is_no_application(self, checkout: Checkout) -> None:
        checkout.app("empty", nothing="{% if false %}{% endif %}\n")
        assert apps(checkout.render()) == {}

    def test_sync_is_automatic_bounded_and_server_side(self, checkout: Checkout) -> None:
        policy = apps(small(checkout))["web"].body["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
        assert 0 < policy["retry"]["limit"] <= 20
        assert {"ServerSideApply=true", "CreateNamespace=false", "PruneLast=true"} < set(
            policy["syncOptions"]
        )

    def test_app_yaml_can_forbid_healing_and_pruning(self, checkout: Checkout) -> None:
        settings = CONFIG_MAP.format(name="web")
        checkout.app("web", extra="sync: {selfHeal: false, prune: false}\n", settings=settings)
        automated = apps(checkout.render())["web"].body["spec"]["syncPolicy"]["automated"]
        assert automated == {"prune": False, "selfHeal": False, "allowEmpty": False}

    def test_only_what_loses_nothing_is_deleted_with_its_application(self, checkout: Checkout) -> None:
        cascading = {
            name: "finalizers" in obj.body["metadata"] for name, obj in apps(small(checkout)).items()
        }
        assert cascading == {"ground": False, "certs": False, "web": True, "far": True}

    def test_slack_is_told_in_the_environments_channel(self, checkout: Checkout) -> None:
        annotations = apps(small(checkout))["web"].body["metadata"]["annotations"]
        told = {key: value for key, value in annotations.items() if key.startswith("notifications.")}
        assert told == {
            f"notifications.argoproj.io/subscribe.{trigger}.slack": "dhakacart-ops"
            for trigger in ("on-deployed", "on-health-degraded", "on-sync-failed")
        }

    def test_a_chart_that_the_facts_do_not_have(self, checkout: Checkout) -> None:
        checkout.app("odd", extra="chart: no-such-chart\n")
        with pytest.raises(ProblemsError) as caught:
            checkout.render()
        (problem,) = caught.value.problems
        assert (problem.code, str(problem.where)) == ("DC-APP-020", "apps/odd/app.yaml:6:8")

    def test_a_chart_whose_kinds_are_unknown(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("generator.argocd.charts.chart_kinds", dict)
        checkout.app("certs", extra="chart: cert-manager\n")
        with pytest.raises(ProblemsError) as caught:
            checkout.render()
        assert [problem.code for problem in caught.value.problems] == ["DC-APP-021"]


class TestProjects:
    def test_a_project_is_exactly_what_is_rendered(self, checkout: Checkout) -> None:
        spec = by_kind(small(checkout), "AppProject")["shop"].body["spec"]
        assert spec["sourceRepos"] == ["https://github.com/dhakacart/platform.git"]
        assert spec["destinations"] == [{"server": SERVER, "namespace": "shop"}]
        assert spec["clusterResourceWhitelist"] == []
        assert spec["namespaceResourceWhitelist"] == [{"group": "", "kind": "ConfigMap"}]

    def test_a_chart_adds_its_repository_and_kinds(self, checkout: Checkout) -> None:
        project = by_kind(small(checkout), "AppProject")["platform"]
        assert repository_allowed(project, charts()["cert-manager"].repository)
        assert object_allowed(project, SERVER, Identity("rbac.authorization.k8s.io", "ClusterRole", "", "x"))
        assert object_allowed(project, SERVER, Identity("", "Namespace", "", "shop"))

    @pytest.mark.parametrize(
        "identity",
        [
            Identity("", "Secret", "shop", "stolen"),
            Identity("", "ConfigMap", "kube-system", "elsewhere"),
            Identity("", "ConfigMap", "", "cluster-wide"),
            Identity("rbac.authorization.k8s.io", "ClusterRoleBinding", "", "admin"),
            Identity("argoproj.io", "Application", "argocd", "other"),
            Identity("apps", "ConfigMap", "shop", "other-group"),
        ],
        ids=str,
    )
    def test_everything_else_is_refused(self, checkout: Checkout, identity: Identity) -> None:
        shop = by_kind(small(checkout), "AppProject")["shop"]
        assert not object_allowed(shop, SERVER, identity)
        assert object_allowed(shop, SERVER, Identity("", "ConfigMap", "shop", "web"))
        assert not object_allowed(shop, "https://elsewhere", Identity("", "ConfigMap", "shop", "web"))
        assert not repository_allowed(shop, "https://github.com/dhakacart/other.git")

    def test_default_is_emptied(self, checkout: Checkout) -> None:
        spec = by_kind(small(checkout), "AppProject")["default"].body["spec"]
        assert not spec["sourceRepos"]
        assert not spec["destinations"]
        assert not spec["clusterResourceWhitelist"]

    def test_only_the_root_makes_applications_and_projects(self, checkout: Checkout) -> None:
        rendered = small(checkout)
        root = by_kind(rendered, "AppProject")["root"]
        for obj in rendered.argocd:
            assert object_allowed(root, SERVER, obj.identity)
        assert root.body["spec"]["destinations"] == [{"server": SERVER, "namespace": "argocd"}]

    def test_the_root_outlives_mistakes(self, checkout: Checkout) -> None:
        root = by_kind(small(checkout), "Application")["root"]
        metadata = root.body["metadata"]
        assert metadata["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        assert "finalizers" not in metadata


def test_chart_kinds_are_of_charts_that_exist_and_say_their_source() -> None:
    kinds = chart_kinds()
    assert set(kinds) <= set(charts())
    assert all(entry.source for entry in kinds.values())


# The real apps and environments.


@pytest.fixture(scope="module")
def real() -> dict[str, Rendered]:
    apps_folder = ROOT / "apps"
    all_apps, templates = load_apps(apps_folder, ROOT), Templates(apps_folder)
    return {
        loaded.environment.name: with_argocd(render(loaded, all_apps, templates))
        for loaded in load_environments(ROOT / "environments", ROOT)
    }


@pytest.fixture(params=["dev", "staging", "prod"])
def rendered(request: pytest.FixtureRequest, real: dict[str, Rendered]) -> Rendered:
    return real[request.param]


class TestReal:
    def test_every_dependency_is_healthy_before(self, rendered: Rendered) -> None:
        applications = apps(rendered)
        for app in rendered.apps:
            for dependency in app.depends_on:
                if app.name in applications and dependency in applications:
                    assert wave(applications[dependency]) < wave(applications[app.name])

    def test_every_app_has_its_application(self, rendered: Rendered) -> None:
        assert set(apps(rendered)) == {app.name for app in rendered.apps}

    def test_every_object_is_allowed_by_its_project(self, rendered: Rendered) -> None:
        projects = by_kind(rendered, "AppProject")
        for obj in rendered.objects:
            spec = apps(rendered)[obj.app].body["spec"]
            assert object_allowed(projects[spec["project"]], spec["destination"]["server"], obj.identity), (
                str(obj.identity)
            )

    def test_every_source_is_allowed_by_its_project(self, rendered: Rendered) -> None:
        projects = by_kind(rendered, "AppProject")
        for application in by_kind(rendered, "Application").values():
            project = projects[application.body["spec"]["project"]]
            for source in sources(application):
                assert repository_allowed(project, source["repoURL"])

    def test_everything_that_is_rendered_is_synced_once(self, rendered: Rendered) -> None:
        name = rendered.environment.name
        read = [source for obj in by_kind(rendered, "Application").values() for source in sources(obj)]
        paths = [source["path"] for source in read if "path" in source]
        values = [
            file.removeprefix("$values/")
            for source in read
            for file in source.get("helm", {}).get("valueFiles", [])
        ]
        files = {f"clusters/{name}/{path}" for path in tree(rendered)}
        folders = {path.rpartition("/")[0] for path in files if "/values/" not in path}
        assert sorted(paths) == sorted(folders)
        assert sorted(values) == sorted(path for path in files if "/values/" in path)

    def test_nothing_is_allowed_by_a_star(self, rendered: Rendered) -> None:
        assert "*" not in set(_texts([obj.body for obj in rendered.argocd]))

    def test_no_application_is_in_the_default_project(self, rendered: Rendered) -> None:
        assert all(
            obj.body["spec"]["project"] != "default" for obj in by_kind(rendered, "Application").values()
        )

    def test_project_root_is_there_before_what_it_bounds(self, rendered: Rendered) -> None:
        first = {obj.name for obj in rendered.argocd if wave(obj) < 0}
        assert first == set(by_kind(rendered, "AppProject"))

    def test_the_same_every_time(self, rendered: Rendered) -> None:
        again = with_argocd(rendered)
        assert json.dumps([obj.body for obj in again.argocd]) == json.dumps(
            [obj.body for obj in rendered.argocd]
        )


def test_k3s_brings_its_own_metrics_server(real: dict[str, Rendered]) -> None:
    assert {"metrics-server", "cluster-autoscaler"} <= set(apps(real["prod"]))
    assert not {"metrics-server", "cluster-autoscaler"} & set(apps(real["dev"]))
    namespaces = by_kind(real["dev"], "AppProject")["platform"].body["spec"]["destinations"]
    assert {"server": SERVER, "namespace": "cluster-services"} not in namespaces or any(
        obj.namespace == "cluster-services" for obj in real["dev"].objects
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
