"""The state's bucket, and who may plan and apply: read as IAM would read it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from generator.config.infrastructure import Infrastructure
from tests.conftest import Stacks

NAMES = ["dev", "staging", "prod"]
ISSUER = "token.actions.githubusercontent.com"
MANAGED_POLICY_CHARACTERS = 6144


def policy(stacks: Stacks, name: str, which: str) -> list[dict[str, Any]]:
    """Statements of one of the stack's policies."""
    found = stacks[name, "bootstrap"]["resource"]["aws_iam_policy"][which]["policy"]
    statements: list[dict[str, Any]] = json.loads(found)["Statement"]
    return statements


def concerned(statement: dict[str, Any], action: str, resource: str) -> bool:
    """Whether a statement is about it; conditions are not looked at."""
    if "Action" in statement:
        acts = any(fnmatchcase(action, pattern) for pattern in statement["Action"])
    else:
        acts = not any(fnmatchcase(action, pattern) for pattern in statement["NotAction"])
    return acts and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])


def allowed(stacks: Stacks, name: str, role: str, action: str, resource: str) -> bool:
    """Whether a role's policies together allow it."""
    attached = stacks[name, "bootstrap"]["resource"]["aws_iam_role_policy_attachment"]
    policies = [each.removesuffix("-of-role") for each in attached if each.startswith(f"{role}-")]
    statements = [one for which in policies for one in policy(stacks, name, which)]
    effects = {one["Effect"] for one in statements if concerned(one, action, resource)}
    return effects == {"Allow"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("role", "situation"), [("plan", "pull_request"), ("apply", "environment:{name}")])
def test_a_role_trusts_one_situation_of_one_repository(
    stacks: Stacks, name: str, role: str, situation: str
) -> None:
    found = stacks[name, "bootstrap"]["resource"]["aws_iam_role"][f"{role}-role"]
    (trust,) = json.loads(found["assume_role_policy"])["Statement"]
    subject = f"repo:dhakacart/platform:{situation.format(name=name)}"
    assert trust["Principal"] == {"Federated": "${aws_iam_openid_connect_provider.github.arn}"}
    assert trust["Condition"] == {
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subject}
    }


def test_where_the_repository_is_not_on_github_no_workflow_gets_in(
    environments: dict[str, Infrastructure], tmp_path: Path
) -> None:
    from dhakacart_infra.app import synthesize

    elsewhere = replace(environments["dev"], token_subject="")
    made = json.loads(synthesize([elsewhere], tmp_path)["dev", "bootstrap"])["resource"]
    assert "aws_iam_role" not in made
    assert "aws_iam_openid_connect_provider" not in made


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_encrypted_versioned_private_and_cannot_be_destroyed(stacks: Stacks, name: str) -> None:
    made = stacks[name, "bootstrap"]["resource"]
    assert made["aws_s3_bucket"]["state-bucket"]["lifecycle"] == {"prevent_destroy": True}
    assert made["aws_kms_key"]["state-key"]["lifecycle"] == {"prevent_destroy": True}
    versioning = made["aws_s3_bucket_versioning"]["state-bucket-versioning"]
    assert versioning["versioning_configuration"] == {"status": "Enabled"}
    (rule,) = made["aws_s3_bucket_server_side_encryption_configuration"]["state-bucket-encryption"]["rule"]
    assert rule["apply_server_side_encryption_by_default"] == {
        "kms_master_key_id": "${aws_kms_key.state-key.arn}",
        "sse_algorithm": "aws:kms",
    }
    closed = made["aws_s3_bucket_public_access_block"]["state-bucket-public-access"]
    assert {key for key, value in closed.items() if value is True} == {
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    }
    (rules,) = made["aws_s3_bucket_lifecycle_configuration"]["state-bucket-lifecycle"]["rule"]
    assert "expiration" not in rules  # only old versions end


@pytest.mark.parametrize("name", NAMES)
def test_every_stack_keeps_its_state_there_under_its_own_key_and_lock(stacks: Stacks, name: str) -> None:
    backends = {key[1]: one["terraform"]["backend"]["s3"] for key, one in stacks.items() if key[0] == name}
    bucket = stacks[name, "bootstrap"]["resource"]["aws_s3_bucket"]["state-bucket"]["bucket"]
    assert {one["bucket"] for one in backends.values()} == {bucket}
    assert {one["key"] for one in backends.values()} == {f"{lifecycle}.tfstate" for lifecycle in backends}
    assert all(one["use_lockfile"] is True for one in backends.values())
    assert not any("encrypt" in one for one in backends.values())  # it would put AES256 in KMS' place


@pytest.mark.parametrize("name", NAMES)
def test_planning_reads_settings_and_state_and_changes_nothing(stacks: Stacks, name: str) -> None:
    state = f"arn:aws:s3:::{bucket_of(stacks, name)}"

    def may(action: str, resource: str = "*") -> bool:
        return allowed(stacks, name, "plan", action, resource)

    assert may("rds:DescribeDBInstances")
    assert may("s3:GetObject", f"{state}/data.tfstate")
    assert may("s3:PutObject", f"{state}/data.tfstate.tflock")
    assert not may("s3:PutObject", f"{state}/data.tfstate")
    assert not may("s3:DeleteObject", f"{state}/data.tfstate")
    assert not may("secretsmanager:GetSecretValue")
    assert not may("s3:GetObject", "arn:aws:s3:::dhakacart-prod-backup-1/dump")
    assert not may("iam:PassRole")
    for statement in policy(stacks, name, "plan-settings"):
        verbs = {action.split(":")[1] for action in statement["Action"]}
        assert all(verb.startswith(("Describe", "Get", "List")) for verb in verbs)


@pytest.mark.parametrize("name", NAMES)
def test_applying_cannot_widen_its_own_rights_or_read_secrets(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    account = environments[name].aws.account
    state = f"arn:aws:s3:::{bucket_of(stacks, name)}"

    def may(action: str, resource: str = "*") -> bool:
        return allowed(stacks, name, "apply", action, resource)

    assert may("rds:CreateDBInstance")
    assert may("iam:CreateRole", f"arn:aws:iam::{account}:role/dhakacart-{name}-loki")
    assert may("s3:PutObject", f"{state}/data.tfstate")
    assert not may("iam:CreateRole", f"arn:aws:iam::{account}:role/administrator")
    assert not may("iam:AttachRolePolicy", "${aws_iam_role.apply-role.arn}")
    assert not may("iam:UpdateAssumeRolePolicy", "${aws_iam_role.plan-role.arn}")
    assert not may("iam:CreatePolicyVersion", f"arn:aws:iam::{account}:policy/dhakacart-{name}-apply-limits")
    assert not may("iam:CreatePolicyVersion", "${aws_iam_policy.boundary.arn}")
    assert not may("iam:DeleteRolePermissionsBoundary", f"arn:aws:iam::{account}:role/dhakacart-{name}-loki")
    assert not may("iam:CreateUser", f"arn:aws:iam::{account}:user/somebody")
    assert not may("secretsmanager:GetSecretValue")
    assert not may("s3:PutObject", f"{state}/bootstrap.tfstate")
    assert not may("s3:DeleteObjectVersion", f"{state}/data.tfstate")
    assert not may("s3:PutBucketPolicy", state)
    assert not may("kms:PutKeyPolicy", "${aws_kms_key.state-key.arn}")
    assert may("kms:ScheduleKeyDeletion") is not environments[name].production


@pytest.mark.parametrize("name", NAMES)
def test_rights_are_given_only_within_the_boundary(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    account = environments[name].aws.account
    role = f"arn:aws:iam::{account}:role/dhakacart-{name}-loki"
    boundary = {"StringEquals": {"iam:PermissionsBoundary": environments[name].names.boundary_arn}}
    for action in ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"):
        (grant,) = (
            one for one in policy(stacks, name, "apply-identity") if concerned(one, f"iam:{action}", role)
        )
        assert grant["Condition"] == boundary
    (handing,) = (
        one for one in policy(stacks, name, "apply-identity") if concerned(one, "iam:PassRole", role)
    )
    assert "iam:PassedToService" in handing["Condition"]["StringEquals"]


def test_every_role_but_the_two_has_the_boundary_and_the_boundary_no_way_out(
    stacks: Stacks, environments: dict[str, Infrastructure]
) -> None:
    for (name, lifecycle), stack in stacks.items():
        for id_, role in stack["resource"].get("aws_iam_role", {}).items():
            found = role.get("permissions_boundary")
            assert found == (None if lifecycle == "bootstrap" else environments[name].names.boundary_arn), id_
    for name in environments:
        statements = policy(stacks, name, "boundary")
        for action in ("iam:CreateRole", "iam:PassRole", "sts:AssumeRole", "kms:PutKeyPolicy"):
            assert not any(concerned(one, action, "*") for one in statements), action
        state = f"arn:aws:s3:::{bucket_of(stacks, name)}/data.tfstate"
        effects = {one["Effect"] for one in statements if concerned(one, "s3:GetObject", state)}
        assert "Deny" in effects


def test_applying_may_hand_over_every_role_and_name_everything_that_stacks_make(stacks: Stacks) -> None:
    from dhakacart_infra.constructs.deployers import TAKERS

    for (name, lifecycle), stack in stacks.items():
        if lifecycle == "bootstrap":
            continue
        for role in stack["resource"].get("aws_iam_role", {}).values():
            (trust,) = json.loads(role["assume_role_policy"])["Statement"]
            assert trust["Principal"]["Service"] in TAKERS
        for kind, key in (("aws_iam_role", "name"), ("aws_iam_instance_profile", "name")):
            for one in stack["resource"].get(kind, {}).values():
                assert one[key].startswith(f"dhakacart-{name}-"), one[key]
        for bucket in stack["resource"].get("aws_s3_bucket", {}).values():
            assert bucket["bucket"].startswith(f"dhakacart-{name}-")


NAMED = re.compile(
    r"\$\{(?:.*-output-)?(?P<kind>aws_secretsmanager_secret|aws_s3_bucket)\.?(?P<id>[\w-]+?)\.?arn\}(?P<rest>.*)"
)


def arn_in(stacks: Stacks, environment: Infrastructure, resource: str) -> str:
    """What a policy's resource will be, where it is a secret or a bucket of this or another stack."""
    found = NAMED.match(resource)
    if not found:
        return resource
    (one,) = (
        stack["resource"][found["kind"]][found["id"]]
        for key, stack in stacks.items()
        if key[0] == environment.name and found["id"] in stack["resource"].get(found["kind"], {})
    )
    if found["kind"] == "aws_s3_bucket":
        return f"arn:aws:s3:::{one['bucket']}{found['rest']}"
    place = f"{environment.aws.region}:{environment.aws.account}"
    return f"arn:aws:secretsmanager:{place}:secret:{one['name']}-a1B2c3"


def test_the_boundary_leaves_every_role_what_its_own_policy_gives(
    stacks: Stacks, environments: dict[str, Infrastructure]
) -> None:
    for (name, lifecycle), stack in stacks.items():
        boundary = policy(stacks, name, "boundary")
        for id_, role in stack["resource"].get("aws_iam_role_policy", {}).items():
            for statement in json.loads(role["policy"])["Statement"]:
                for action in statement["Action"]:
                    for said in statement["Resource"]:
                        resource = arn_in(stacks, environments[name], said)
                        effects = {one["Effect"] for one in boundary if concerned(one, action, resource)}
                        assert effects == {"Allow"}, (name, lifecycle, id_, action, resource)


@pytest.mark.parametrize("name", NAMES)
def test_policies_fit_into_what_iam_takes(stacks: Stacks, name: str) -> None:
    for which in stacks[name, "bootstrap"]["resource"]["aws_iam_policy"]:
        compact = json.dumps(policy(stacks, name, which), separators=(",", ":"))
        assert len(compact) < MANAGED_POLICY_CHARACTERS - 100, which


def bucket_of(stacks: Stacks, name: str) -> str:
    return str(stacks[name, "bootstrap"]["resource"]["aws_s3_bucket"]["state-bucket"]["bucket"])
