"""The policy rules, one module a concern. Importing this package registers them all."""

from generator.check.policy import (
    argocd,
    images,
    meta,
    network,
    pods,
    rbac,
    reliability,
    routes,
    secrets,
)

__all__ = ["argocd", "images", "meta", "network", "pods", "rbac", "reliability", "routes", "secrets"]
