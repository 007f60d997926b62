"""What Argo CD reads: the rendered objects → a root Application, Applications, AppProjects, sync waves."""

from __future__ import annotations

from dataclasses import replace

from generator.argocd.applications import applications
from generator.argocd.charts import require_charts
from generator.argocd.projects import projects
from generator.argocd.root import root_application, root_project
from generator.render.model import Obj, Rendered

__all__ = ["argocd_objects", "with_argocd"]


def argocd_objects(rendered: Rendered) -> tuple[Obj, ...]:
    """Everything for `clusters/<env>/argocd/`; ProblemsError where a chart is not known well enough."""
    require_charts(rendered.apps)
    return (root_project(rendered), *projects(rendered), *applications(rendered), root_application(rendered))


def with_argocd(rendered: Rendered) -> Rendered:
    """`rendered` with Argo CD's own objects beside the apps'."""
    return replace(rendered, argocd=argocd_objects(rendered))
