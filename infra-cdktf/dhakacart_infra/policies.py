"""IAM policy documents as JSON, with keys in one order. Tokens of CDKTF may stand anywhere in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "2012-10-17"
Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


def document(*statements: Mapping[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)


def statement(
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Conditions | None = None,
    *,
    effect: str = "Allow",
    sid: str = "",
    principal: Mapping[str, Any] | str | None = None,
) -> dict[str, Any]:
    """One statement; `principal` only in policies that hang on a resource."""
    made: dict[str, Any] = {"Effect": effect, "Action": list(actions), "Resource": list(resources)}
    if sid:
        made["Sid"] = sid
    if principal is not None:
        made["Principal"] = principal
    if conditions:
        made["Condition"] = conditions
    return made


def allow(actions: Sequence[str], resources: Sequence[str], conditions: Conditions | None = None) -> str:
    """A policy of one statement."""
    return document(statement(actions, resources, conditions))


def assumed_by(service: str, *, account: str = "", actions: Sequence[str] = ("sts:AssumeRole",)) -> str:
    """Who may take a role: a service of AWS, and with `account` only on that account's behalf."""
    trust: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Principal": {"Service": service}}
    if account:
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document(trust)
