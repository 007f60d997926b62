"""What moto does not do: resources that are planned, but not applied to it.

Tests hold the table to the stacks: every type is applied, or in the table; one that no stack has is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verify.tree import Stack

NO_CALL = "does not know the call"
NO_GROUPS = "names Auto Scaling groups of EKS that are not there"


@dataclass(frozen=True, slots=True)
class Gap:
    """What moto does instead. `eks`: only where the cluster is EKS."""

    answer: str
    eks: bool = False


GAPS: Mapping[str, Gap] = {
    "aws_autoscaling_attachment": Gap(NO_GROUPS, eks=True),
    "aws_autoscaling_group_tag": Gap(NO_GROUPS, eks=True),
    "aws_backup_selection": Gap("answers with status 500"),
    "aws_eks_access_entry": Gap(NO_CALL),
    "aws_eks_access_policy_association": Gap(NO_CALL),
    "aws_eks_addon": Gap(NO_CALL),
    "aws_eks_pod_identity_association": Gap(NO_CALL),
    "aws_s3_bucket_policy": Gap("takes a Deny as if it had no Condition: nobody could use the bucket"),
}
SLOW: Mapping[str, Gap] = {
    "aws_db_instance": Gap("the provider waits three minutes, whatever the answer"),
    "aws_s3_bucket_lifecycle_configuration": Gap("the provider waits a minute, whatever the answer"),
}
"""What moto does, and only the slow tests wait for."""
FORGOTTEN: Mapping[str, tuple[str, ...]] = {
    "aws_autoscaling_policy": ("enabled", "predictive_scaling_configuration"),
    "aws_backup_plan": ("tags", "tags_all"),
    "aws_backup_vault": ("tags", "tags_all"),
    "aws_db_instance": (
        "performance_insights_enabled",
        "performance_insights_kms_key_id",
        "performance_insights_retention_period",
    ),
    "aws_db_parameter_group": ("parameter",),
    "aws_eks_cluster": ("access_config", "upgrade_policy", "vpc_config", "zonal_shift_config"),
    "aws_eks_node_group": ("node_repair_config", "remote_access", "update_config"),
    "aws_instance": (
        "associate_public_ip_address",
        "credit_specification",
        "maintenance_options",
        "vpc_security_group_ids",
    ),
    "aws_launch_template": ("tag_specifications",),
    "aws_secretsmanager_secret_rotation": ("rotation_rules",),
    "aws_vpc_security_group_egress_rule": ("description",),
    "aws_vpc_security_group_ingress_rule": ("description",),
}
"""Resource type → what moto gives back otherwise than it was told: a second plan does not look at it."""
STAND_INS: Mapping[str, Mapping[str, str]] = {"aws_eks_addon_version": {"version": "v1.0.0-eksbuild.1"}}
"""Data source that moto does not know → what its attributes are then."""
REFERENCE = re.compile(r"\b(aws_[a-z0-9_]+\.[A-Za-z0-9_-]+)")
EXPRESSION = re.compile(r"\$\{.*?\}")


def with_stand_ins(stack: Stack) -> Stack:
    """The stack with values in the place of data sources that moto does not know: it can be planned."""
    known = {kind: named for kind, named in stack.get("data", {}).items() if kind not in STAND_INS}
    rest = {part: body for part, body in stack.items() if part != "data"}
    text = json.dumps(rest | ({"data": known} if known else {}))
    for kind, attributes in STAND_INS.items():
        for attribute, value in attributes.items():
            text = re.sub(rf"\$\{{data\.{kind}\.[A-Za-z0-9_-]+\.{attribute}\}}", value, text)
    made: Stack = json.loads(text)
    return made


def without_gaps(stack: Stack, gaps: Mapping[str, Gap], *, eks: bool) -> tuple[Stack, list[str]]:
    """The stack that moto can apply, and the addresses left out: those of the table, and what needs them."""
    missing = {kind for kind, gap in gaps.items() if eks or not gap.eks}
    out = {f"{kind}.{name}" for kind, name, _ in _resources(stack) if kind in missing}
    while more := {
        address
        for kind, name, body in _resources(stack)
        if (address := f"{kind}.{name}") not in out and out & set(_needs(body))
    }:
        out |= more
    return _kept(stack, out), sorted(out)


def _resources(stack: Stack) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, named in stack.get("resource", {}).items():
        for name, body in named.items():
            yield kind, name, body


def _needs(value: Any) -> Iterator[str]:
    """Addresses that expressions in a value refer to; an order wished by `depends_on` is none."""
    if isinstance(value, str):
        for expression in EXPRESSION.findall(value):
            yield from REFERENCE.findall(expression)
    elif isinstance(value, list):
        for each in value:
            yield from _needs(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("depends_on", "//"):
                yield from _needs(each)


def _kept(stack: Stack, out: set[str]) -> Stack:
    resources: dict[str, dict[str, Any]] = {}
    for kind, name, body in _resources(stack):
        if f"{kind}.{name}" not in out:
            bare = {key: value for key, value in body.items() if key != "depends_on"}
            if order := [each for each in body.get("depends_on", []) if each not in out]:
                bare["depends_on"] = order
            resources.setdefault(kind, {})[name] = _forgetting(bare, FORGOTTEN.get(kind, ()))
    outputs = {name: value for name, value in stack.get("output", {}).items() if not out & set(_needs(value))}
    parts = {**stack, "resource": resources, "output": outputs}
    return {part: body for part, body in parts.items() if body}


def _forgetting(body: dict[str, Any], forgotten: tuple[str, ...]) -> dict[str, Any]:
    if not forgotten:
        return body
    lifecycle = body.get("lifecycle", {})
    ignored = [*lifecycle.get("ignore_changes", []), *forgotten]
    return {**body, "lifecycle": {**lifecycle, "ignore_changes": ignored}}
