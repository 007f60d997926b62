"""What workflows may do: the policies of the roles that plan and apply, and the boundary of what they make.

IAM documents, no resources: `stacks.bootstrap` attaches them.
"""

from __future__ import annotations

from typing import Any

from dhakacart_infra.policies import document, statement
from generator.config.infrastructure import Infrastructure

READS = (
    "acm:Describe*",
    "acm:List*",
    "autoscaling:Describe*",
    "backup:Describe*",
    "backup:GetBackup*",
    "backup:GetRestoreTesting*",
    "backup:List*",
    "cloudwatch:Describe*",
    "cloudwatch:List*",
    "ec2:Describe*",
    "ec2:GetLaunchTemplateData",
    "eks:Describe*",
    "eks:List*",
    "elasticloadbalancing:Describe*",
    "events:Describe*",
    "events:List*",
    "iam:Get*",
    "iam:List*",
    "kms:Describe*",
    "kms:GetKey*",
    "kms:List*",
    "logs:Describe*",
    "logs:ListTags*",
    "rds:Describe*",
    "rds:ListTagsForResource",
    "route53:Get*",
    "route53:List*",
    "s3:Get*Configuration",
    "s3:GetBucket*",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListTagsForResource",
    "secretsmanager:Describe*",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:List*",
    "sns:Get*",
    "sns:List*",
    "sqs:Get*",
    "sqs:List*",
    "tag:Get*",
    "wafv2:Get*",
    "wafv2:List*",
)
"""What Terraform reads of what is there: settings, never what is stored in it."""

SERVICES = (
    "acm",
    "autoscaling",
    "backup",
    "backup-storage",
    "cloudwatch",
    "ec2",
    "eks",
    "elasticloadbalancing",
    "events",
    "kms",
    "logs",
    "rds",
    "secretsmanager",
    "sns",
    "sqs",
    "tag",
    "wafv2",
)
"""What stacks consist of, beside IAM, Route 53 and S3, which have no region or are narrower."""

TAKERS = (
    "backup.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
"""Services that are given roles."""

LINKED = (
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "spot.amazonaws.com",
    "wafv2.amazonaws.com",
)
"""Services that make a role of their own, once an account."""

VALUES = ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")


def plan_policy(of: Infrastructure) -> str:
    """Reads settings, and the parameters in which AWS publishes its machine images."""
    return document(
        statement(READS, ["*"], sid="Settings"),
        statement(["ssm:GetParameter", "ssm:GetParameters"], [_images(of)], sid="MachineImages"),
    )


def state_policy(of: Infrastructure, key_arn: str, *, write: bool) -> str:
    """Reads every stack's state and locks it; with `write` also writes it, but for the bootstrap's own."""
    bucket = f"arn:aws:s3:::{of.names.state_bucket}"
    statements = [
        statement(["s3:ListBucket"], [bucket], sid="Find"),
        statement(["s3:GetObject"], [f"{bucket}/*.tfstate"], sid="Read"),
        statement(
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{bucket}/*.tfstate.tflock"], sid="Lock"
        ),
        statement(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn], sid="Encryption"),
    ]
    if write:
        statements.append(statement(["s3:PutObject"], [f"{bucket}/*.tfstate"], sid="Write"))
        statements.append(
            statement(["s3:PutObject"], [f"{bucket}/bootstrap.tfstate"], effect="Deny", sid="NotItsOwn")
        )
    return document(*statements)


def apply_policy(of: Infrastructure) -> str:
    """Makes and changes what stacks consist of, in this region; roles are in `apply_identity_policy`."""
    buckets = f"arn:aws:s3:::{_ours(of)}"
    return document(
        statement(
            [f"{service}:*" for service in SERVICES],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": of.aws.region}},
            sid="Services",
        ),
        statement(["route53:*"], ["*"], sid="Names"),
        statement(["s3:*"], [buckets, f"{buckets}/*"], sid="Buckets"),
        statement(["s3:ListAllMyBuckets"], ["*"], sid="BucketNames"),
        statement(["ssm:GetParameter", "ssm:GetParameters"], [_images(of)], sid="MachineImages"),
    )


def apply_identity_policy(of: Infrastructure) -> str:
    """Makes roles of this environment, each within the boundary, and hands them to services."""
    roles, policies, profiles = (_iam(of, kind) for kind in ("role", "policy", "instance-profile"))
    bounded = {"StringEquals": {"iam:PermissionsBoundary": of.names.boundary_arn}}
    rights = ("CreateRole", "AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy")
    return document(
        statement(["iam:Get*", "iam:List*"], ["*"], sid="Read"),
        statement(
            [f"iam:{action}" for action in (*rights, "PutRolePermissionsBoundary")],
            [roles],
            bounded,
            sid="RolesWithinTheBoundary",
        ),
        statement(
            [
                "iam:DeleteRole",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            [roles],
            sid="Roles",
        ),
        statement(
            [
                "iam:CreatePolicy",
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:TagPolicy",
                "iam:UntagPolicy",
            ],
            [policies],
            sid="Policies",
        ),
        statement(
            [
                "iam:AddRoleToInstanceProfile",
                "iam:CreateInstanceProfile",
                "iam:DeleteInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:TagInstanceProfile",
                "iam:UntagInstanceProfile",
            ],
            [profiles],
            sid="InstanceProfiles",
        ),
        statement(
            ["iam:PassRole"], [roles], {"StringEquals": {"iam:PassedToService": TAKERS}}, sid="HandOver"
        ),
        statement(
            ["iam:CreateServiceLinkedRole"],
            [f"arn:aws:iam::{of.names.account}:role/aws-service-role/*"],
            {"StringEquals": {"iam:AWSServiceName": LINKED}},
            sid="ServiceLinkedRoles",
        ),
    )


def apply_limits(of: Infrastructure, own: list[str], key_arn: str) -> str:
    """What applying must not do, whatever else is allowed: widen itself, read values, destroy what is kept.

    `own` are the ARNs of the bootstrap's roles, policies and identity provider.
    """
    state = f"arn:aws:s3:::{of.names.state_bucket}"
    statements = [
        _deny_but(["iam:Get*", "iam:List*"], own, "ItsOwnRights"),
        _deny_but(["s3:Get*", "s3:ListBucket"], [state], "StateBucket"),
        statement(["s3:Delete*", "s3:PutObjectAcl"], [f"{state}/*.tfstate"], effect="Deny", sid="State"),
        _deny_but(
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Get*", "kms:List*"],
            [key_arn],
            "StateKey",
        ),
        statement(VALUES, ["*"], effect="Deny", sid="SecretValues"),
        statement(
            [
                "backup:DeleteBackupVaultLockConfiguration",
                "backup:DeleteRecoveryPoint",
                "iam:DeleteRolePermissionsBoundary",
                "s3:BypassGovernanceRetention",
            ],
            ["*"],
            effect="Deny",
            sid="Locks",
        ),
    ]
    if of.production:
        statements.append(
            statement(
                ["kms:DisableKey", "kms:ScheduleKeyDeletion", "rds:DeleteDBInstanceAutomatedBackup"],
                ["*"],
                effect="Deny",
                sid="Data",
            )
        )
    return document(*statements)


def boundary_policy(of: Infrastructure) -> str:
    """The most that a role of this environment can be: no IAM, no other role, no state."""
    names = of.names
    buckets = f"arn:aws:s3:::{_ours(of)}"
    state = f"arn:aws:s3:::{names.state_bucket}"
    return document(
        statement(
            [
                "autoscaling:*",
                "backup:*",
                "backup-storage:*",
                "cloudwatch:*",
                "ec2:*",
                "ec2messages:*",
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetAuthorizationToken",
                "ecr:GetDownloadUrlForLayer",
                "eks:Describe*",
                "eks:List*",
                "eks-auth:AssumeRoleForPodIdentity",
                "elasticloadbalancing:*",
                "events:*",
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ListGrants",
                "kms:ReEncrypt*",
                "kms:RevokeGrant",
                "logs:*",
                "rds:*",
                "sns:Publish",
                "sqs:*",
                "ssm:Describe*",
                "ssm:Get*",
                "ssm:List*",
                "ssm:PutComplianceItems",
                "ssm:PutConfigurePackageResult",
                "ssm:PutInventory",
                "ssm:UpdateAssociationStatus",
                "ssm:UpdateInstance*",
                "ssmmessages:*",
                "tag:GetResources",
            ],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": of.aws.region}},
            sid="Services",
        ),
        statement(
            [
                "route53:ChangeResourceRecordSets",
                "route53:GetChange",
                "route53:ListHostedZonesByName",
                "route53:ListResourceRecordSets",
            ],
            ["*"],
            sid="Names",
        ),
        statement(
            [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
            ],
            [
                f"arn:aws:secretsmanager:{of.aws.region}:{names.account}:secret:{pattern}"
                for pattern in (names.secrets_pattern, names.node_secrets_pattern)
            ],
            sid="OwnSecrets",
        ),
        statement(["s3:*"], [buckets, f"{buckets}/*"], sid="OwnBuckets"),
        statement(["s3:*"], [state, f"{state}/*"], effect="Deny", sid="NoState"),
        statement(["s3:BypassGovernanceRetention"], ["*"], effect="Deny", sid="NoWayPastLocks"),
    )


def _deny_but(actions: list[str], resources: list[str], sid: str) -> dict[str, Any]:
    made = statement(actions, resources, effect="Deny", sid=sid)
    made["NotAction"] = made.pop("Action")
    return made


def _ours(of: Infrastructure) -> str:
    """How the names of this environment's own things begin."""
    return of.names.own("*")


def _iam(of: Infrastructure, kind: str) -> str:
    return f"arn:aws:iam::{of.names.account}:{kind}/{_ours(of)}"


def _images(of: Infrastructure) -> str:
    return f"arn:aws:ssm:{of.aws.region}::parameter/aws/service/*"
