"""The policy rules, one module a concern. Importing this package registers them all."""

from generator.check.policy import (
    argocd,
    capacity,
    identity,
    images,
    meta,
    monitors,
    network,
    pods,
    promises,
    rbac,
    reliability,
    routes,
    scaling,
    secrets,
)

__all__ = [
    "argocd",
    "capacity",
    "identity",
    "images",
    "meta",
    "monitors",
    "network",
    "pods",
    "promises",
    "rbac",
    "reliability",
    "routes",
    "scaling",
    "secrets",
]
