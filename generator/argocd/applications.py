"""One Application an app: a folder of `manifests/`, a pinned Helm chart with values from here, or both.

The choices that are the same for all:

- *Server-side apply, and server-side diff with it*: the API server says what would change, so defaults,
  fields that controllers own (replicas under an HPA, the certificate in a webhook's configuration) and big
  CRDs are no differences. That is why there is no `ignoreDifferences` here: nothing rendered needs one.
- *Pruned last, and never from an empty folder* (`allowEmpty: false`): an empty folder is a mistake.
- *Every sync applies every object* (no ApplyOutOfSyncOnly): a sync by hand is then a real repair.
- *No `manifest-generate-paths`*: with it, in Argo CD 3.4 to 3.6, a commit that comes while a sync runs may
  never be synced (argoproj/argo-cd#27875; the test bed saw it with a revert), and an automated sync may leave
  out hooks: a release without its migration (argoproj/argo-cd#27792). It only saves rendering.
- *Retries are bounded* but outlast a cluster's first minutes, when webhooks and CRDs are still on their way;
  a retry takes the newest commit (`refresh`, argoproj/argo-cd#23038), so a fix does not wait for the old one.
- *Deleting an Application deletes its objects only where nothing is lost*: the finalizer is on apps of plain
  manifests without namespaces or volumes. Charts (operators, Prometheus, Loki, Argo CD itself) and the
  foundation stay when their Application goes; docs/bootstrap.md says how to remove them on purpose.
"""

from __future__ import annotations

from typing import Any

from generator.argocd.common import (
    API_VERSION,
    SERVER,
    WAVE,
    manifests_path,
    metadata,
    values_path,
)
from generator.argocd.waves import waves
from generator.config.environment import Environment
from generator.facts.charts import charts
from generator.render.app import App
from generator.render.conventions import HOLDS_DATA
from generator.render.model import Body, Obj, Rendered

TRIGGERS = ("on-deployed", "on-health-degraded", "on-sync-failed")
SYNC_OPTIONS = (
    "CreateNamespace=false",  # namespaces are the foundation's, with their quotas and Pod Security labels
    "FailOnSharedResource=true",  # one object, one Application
    "PruneLast=true",
    "ServerSideApply=true",
)
CASCADE = "resources-finalizer.argocd.argoproj.io/foreground"


def applications(rendered: Rendered) -> tuple[Obj, ...]:
    """An Application for every app that has something to sync, in the order of the apps."""
    wave = waves(rendered.apps)
    kinds: dict[str, set[str]] = {}
    for obj in rendered.objects:
        kinds.setdefault(obj.app, set()).add(obj.kind)
    return tuple(
        Obj(
            app.name,
            app.document.file,
            _application(rendered, app, wave[app.name], kinds.get(app.name, set())),
        )
        for app in rendered.apps
        if app.chart or app.name in kinds
    )


def notifications(environment: Environment) -> dict[str, str]:
    """Annotations that subscribe the environment's Slack channel; Argo CD writes channels without their #."""
    channel = environment.monitoring.alerts.slack.channel.removeprefix("#")
    return {f"notifications.argoproj.io/subscribe.{trigger}.slack": channel for trigger in TRIGGERS}


def sync_policy(app: App | None, retries: int) -> dict[str, Any]:
    """How an Application is synced: by `app.yaml` where there is one, else fully automatic."""
    return {
        "automated": {
            "prune": app.sync.prune if app else True,
            "selfHeal": app.sync.self_heal if app else True,
            "allowEmpty": False,
        },
        "retry": {
            "limit": retries,
            "refresh": True,
            "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
        },
        "syncOptions": list(SYNC_OPTIONS),
    }


def _application(rendered: Rendered, app: App, wave: int, kinds: set[str]) -> Body:
    environment = rendered.environment
    sources = _sources(rendered, app, has_objects=bool(kinds))
    annotations = {
        WAVE: str(wave),
        "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
        **notifications(environment),
    }
    head = metadata(app.name, app.owner, annotations)
    if not app.chart and not kinds & HOLDS_DATA:
        head["finalizers"] = [CASCADE]
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": head,
        "spec": {
            "project": app.project,
            **({"source": sources[0]} if len(sources) == 1 else {"sources": sources}),
            "destination": {"server": SERVER, "namespace": app.namespace},
            "syncPolicy": sync_policy(app, retries=10),
            "info": [{"name": "What", "value": app.description}],
        },
    }


def _sources(rendered: Rendered, app: App, *, has_objects: bool) -> list[Body]:
    gitops, environment = rendered.environment.gitops, rendered.environment.name
    repository = {"repoURL": gitops.repository, "targetRevision": gitops.revision}
    manifests = [{**repository, "path": manifests_path(environment, app.name)}] if has_objects else []
    if not app.chart:
        return manifests
    chart = charts()[app.chart]
    helm: dict[str, Any] = {"releaseName": app.name}
    values = []
    if app.name in rendered.values:
        helm["valueFiles"] = [f"$values/{values_path(environment, app.name)}"]
        values = [{**repository, "ref": "values"}]
    source = {
        "repoURL": chart.argo_repository,
        "chart": chart.name,
        "targetRevision": chart.version,
        "helm": helm,
    }
    return [source, *values, *manifests]
