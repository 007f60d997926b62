"""The policy behind each permission that `generator.config.workloads` names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from dhakacart_infra.policies import Conditions, document, statement
from generator.config.infrastructure import Infrastructure
from generator.config.workloads import Permission


@dataclass(frozen=True, slots=True)
class Managed:
    """A policy that AWS itself maintains, by name."""

    name: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:iam::aws:policy/{self.name}"


Grant = Managed | str
"""A policy of AWS, or the document of our own."""

AUTOSCALER = "k8s.io/cluster-autoscaler"


def autoscaler_tags(cluster: str) -> dict[str, tuple[str, str]]:
    """Tags of the groups that the cluster autoscaler of a cluster finds, and may resize."""
    return {"enabled": (f"{AUTOSCALER}/enabled", "true"), "owned": (f"{AUTOSCALER}/{cluster}", "owned")}


@dataclass(frozen=True, slots=True)
class Resources:
    """ARNs of what permissions are for: of the domain's zone, of all secrets by a pattern, of their key…"""

    zone_arn: str
    secrets_arn: str
    logs_bucket_arn: str
    key_arn: str


def of_cluster(permission: Permission) -> Managed:
    """Permissions of EKS' own add-ons, which they have before any other stack is there."""
    match permission:
        case "network-interfaces":
            # Narrower is not possible: the actions on network interfaces know no condition that names a
            # cluster before the interface is there.
            return Managed("AmazonEKS_CNI_Policy")
        case "volumes":
            # Volumes are encrypted with the account's key of EBS, whose own policy lets EBS use it.
            return Managed("service-role/AmazonEBSCSIDriverPolicy")
        case _:
            raise ValueError(f"{permission} is no add-on's permission")


def policy(permission: Permission, of: Infrastructure, resources: Resources) -> Grant:
    """What a permission means in one environment."""
    match permission:
        case "read-secrets":
            return _read_secrets(of, resources)
        case "dns":
            return _dns(of, resources)
        case "store-logs":
            return _store_logs(of, resources)
        case "nodes":
            return _nodes(of)
        case "network-interfaces" | "volumes":
            return of_cluster(permission)
        case _:
            assert_never(permission)


def _read_secrets(of: Infrastructure, resources: Resources) -> str:
    """This environment's entries, and their key only for Secrets Manager and only for these."""
    secrets = resources.secrets_arn
    return document(
        statement(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], [secrets]),
        statement(["kms:Decrypt"], [resources.key_arn], _through("secretsmanager", of, "SecretARN", secrets)),
    )


def _dns(of: Infrastructure, resources: Resources) -> str:
    """Answers to DNS-01 in the domain's zone, and no other record of it.

    cert-manager finds the zone by its name, and so may list the names of all zones of the account.
    """
    challenges = [f"_acme-challenge.{of.domain}", f"_acme-challenge.*.{of.domain}"]
    return document(
        statement(
            ["route53:ChangeResourceRecordSets"],
            [resources.zone_arn],
            {
                "ForAllValues:StringLike": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": challenges
                },
                "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]},
                # "For all" is also true of none: the key must be there.
                "Null": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": "false",
                    "route53:ChangeResourceRecordSetsRecordTypes": "false",
                },
            },
        ),
        statement(["route53:ListResourceRecordSets"], [resources.zone_arn]),
        statement(["route53:GetChange"], ["arn:aws:route53:::change/*"]),
        statement(["route53:ListHostedZonesByName"], ["*"]),
    )


def _store_logs(of: Infrastructure, resources: Resources) -> str:
    bucket = resources.logs_bucket_arn
    return document(
        statement(["s3:ListBucket"], [bucket]),
        statement(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{bucket}/*"]),
        statement(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [resources.key_arn],
            _through("s3", of, "aws:s3:arn", f"{bucket}*"),
        ),
    )


def _nodes(of: Infrastructure) -> str:
    """Looks at all groups, as their API knows no narrower; resizes those with the tag of this cluster."""
    aws, cluster = of.aws, of.names.cluster
    groups = f"arn:aws:autoscaling:{aws.region}:{aws.account}:autoScalingGroup:*:autoScalingGroupName/*"
    node_groups = f"arn:aws:eks:{aws.region}:{aws.account}:nodegroup/{cluster}/*/*"
    return document(
        statement(
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            ["*"],
        ),
        statement(["eks:DescribeNodegroup"], [node_groups]),
        statement(
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [groups],
            {"StringEquals": {f"aws:ResourceTag/{AUTOSCALER}/{cluster}": "owned"}},
        ),
    )


def _through(service: str, of: Infrastructure, context: str, arn: str) -> Conditions:
    """Use of a key by a service on the role's behalf, for what `arn` matches."""
    return {
        "StringEquals": {"kms:ViaService": f"{service}.{of.aws.region}.amazonaws.com"},
        "StringLike": {f"kms:EncryptionContext:{context}": arn},
    }
