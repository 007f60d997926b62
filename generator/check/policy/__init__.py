"""The policy rules, one module a concern. Importing this package registers them all."""

from generator.check.policy import (
    argocd,
    images,
    meta,
    monitors,
    network,
    pods,
    rbac,
    reliability,
    routes,
    scaling,
    secrets,
)

__all__ = [
    "argocd",
    "images",
    "meta",
    "monitors",
    "network",
    "pods",
    "rbac",
    "reliability",
    "routes",
    "scaling",
    "secrets",
]
