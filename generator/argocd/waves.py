"""Sync waves: what an app depends on is synced, and healthy, in an earlier wave.

Waves order Applications only because `argocd-cm` brings back the health check of Application objects that
Argo CD removed in 1.8 (apps/argo-cd): without it every Application counts as healthy once it exists.
"""

from __future__ import annotations

from collections.abc import Iterable

from generator.render.app import App


def waves(apps: Iterable[App]) -> dict[str, int]:
    """App → its wave: the length of its longest chain of dependencies, so as many apps as can start at once.

    `apps` come with dependencies first (as `load_apps` gives them). What an app depends on and this
    environment does not have is passed over: it cannot be waited for.
    """
    found: dict[str, int] = {}
    for app in apps:
        found[app.name] = max((found[name] + 1 for name in app.depends_on if name in found), default=0)
    return found
