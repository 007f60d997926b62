"""moto still lacks what the table of gaps says; what it has learned must be applied again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from moto import mock_aws
from verify.gaps import GAPS

REGION = "ap-southeast-1"
ROLE = "arn:aws:iam::123456789012:role/r"


def client(service: str) -> Any:
    return boto3.Session("test", "test", region_name=REGION).client(service)


def cluster() -> Any:
    eks = client("eks")
    eks.create_cluster(name="c", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    return eks


def group_of_nodes() -> None:
    eks = cluster()
    made = eks.create_nodegroup(clusterName="c", nodegroupName="n", nodeRole=ROLE, subnets=["subnet-1"])
    name = made["nodegroup"]["resources"]["autoScalingGroups"][0]["name"]
    found = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    if not found["AutoScalingGroups"]:
        raise ClientError({"Error": {"Code": "NoSuchGroup", "Message": name}}, "DescribeAutoScalingGroups")


def selection() -> None:
    backup = client("backup")
    vault = backup.create_backup_vault(BackupVaultName="v")["BackupVaultName"]
    rule = {"RuleName": "r", "TargetBackupVaultName": vault}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [rule]})
    chosen = {"SelectionName": "s", "IamRoleArn": ROLE, "Resources": ["*"]}
    backup.create_backup_selection(BackupPlanId=plan["BackupPlanId"], BackupSelection=chosen)


def bucket_by_tls_only() -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="b", CreateBucketConfiguration={"LocationConstraint": REGION})
    only = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": only}
    s3.put_bucket_policy(Bucket="b", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    s3.put_object(Bucket="b", Key="k", Body=b"by TLS")


TRIED: dict[str, Callable[[], Any]] = {
    "aws_autoscaling_attachment": group_of_nodes,
    "aws_autoscaling_group_tag": group_of_nodes,
    "aws_backup_selection": selection,
    "aws_eks_access_entry": lambda: cluster().create_access_entry(clusterName="c", principalArn=ROLE),
    "aws_eks_access_policy_association": lambda: cluster().list_associated_access_policies(
        clusterName="c", principalArn=ROLE
    ),
    "aws_eks_addon": lambda: cluster().list_addons(clusterName="c"),
    "aws_eks_pod_identity_association": lambda: cluster().list_pod_identity_associations(clusterName="c"),
    "aws_s3_bucket_policy": bucket_by_tls_only,
}


def test_every_gap_is_tried() -> None:
    assert TRIED.keys() == GAPS.keys()


@pytest.mark.parametrize("kind", TRIED)
@mock_aws
def test_it_is_still_one(kind: str) -> None:
    with pytest.raises((ClientError, NotImplementedError)):  # the latter is a server's status 500
        TRIED[kind]()
