"""The faults of the repository that this one replaces are all found."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from check.support import base, documents, rendered
from generator.check.run import check
from generator.check.schema import check_schema
from generator.render.model import Obj, Rendered

FAULTS = Path(__file__).with_name("old_repository.yaml")
CACHE = Path(__file__).parents[2] / ".cache"
NS = "dhakacart"
RBAC = "rbac.authorization.k8s.io"
BACKEND, FRONTEND = (
    f"Deployment {NS}/dhakacart-backend",
    f"Deployment {NS}/dhakacart-frontend",
)
PROMTAIL = f"DaemonSet {NS}/promtail"

EXPECTED = [
    (
        "a ClusterRole with spec grants nothing",
        "DC-SCH-001",
        f"ClusterRole.{RBAC} nginx-ingress",
    ),
    (
        "a NetworkPolicy with to under ingress",
        "DC-SCH-001",
        f"NetworkPolicy.networking.k8s.io {NS}/dhakacart-network-policy",
    ),
    ("two Secrets of one name", "DC-META-008", f"Secret {NS}/dhakacart-secrets"),
    ("two Ingresses of one name", "DC-META-008", f"Ingress.networking.k8s.io {NS}/dhakacart-ingress"),
    ("the backend's image is latest", "DC-IMG-001", BACKEND),
    ("the frontend's image is latest", "DC-IMG-001", FRONTEND),
    ("the DaemonSet's image is latest", "DC-IMG-001", PROMTAIL),
    ("images of another registry", "DC-IMG-002", PROMTAIL),
    ("the backend's image is never pulled", "DC-IMG-003", BACKEND),
    ("the frontend's image is never pulled", "DC-IMG-003", FRONTEND),
    ("replicas under an autoscaler: backend", "DC-REL-009", BACKEND),
    ("replicas under an autoscaler: frontend", "DC-REL-009", FRONTEND),
    ("no PodDisruptionBudget", "DC-REL-012", BACKEND),
    ("a Secret with values in Git", "DC-SEC-001", f"Secret {NS}/dhakacart-secrets"),
    ("Grafana's password is admin", "DC-SEC-003", f"ConfigMap {NS}/grafana-env"),
    ("port 80 without root", "DC-POD-019", FRONTEND),
    ("a node's folder is mounted", "DC-POD-004", PROMTAIL),
    (
        "the autoscaler is blind",
        "DC-REL-011",
        f"HorizontalPodAutoscaler {NS}/dhakacart-backend",
    ),
    ("no Pod Security level", "DC-META-004", f"Namespace {NS}"),
    ("no egress policy", "DC-NET-001", BACKEND),
    ("a load balancer a Service", "DC-NET-012", f"Service {NS}/dhakacart-frontend"),
]


@cache
def found() -> set[tuple[str, str]]:
    """(code, object) of every problem in the old repository's objects."""
    clean = rendered(base())
    objects = tuple(Obj("foundation", "k8s/all.yaml", body) for body in documents(FAULTS))
    old = Rendered(clean.config, clean.apps, objects, {})
    problems = check(old, date(2026, 11, 22)) + check_schema(objects, "1.35", CACHE)
    return {(problem.code, problem.subject) for problem in problems}


@pytest.mark.parametrize(("fault", "code", "subject"), EXPECTED, ids=[fault for fault, _, _ in EXPECTED])
def test_fault_is_found(fault: str, code: str, subject: str) -> None:
    assert (code, subject) in found(), fault
