"""What workloads may do in AWS, held to `generator.config.workloads`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from generator.config.infrastructure import Infrastructure
from generator.config.workloads import WORKLOADS, workloads_on
from tests.conftest import Stacks
from tests.support import resources, statements

EKS = ["staging", "prod"]
READING = ("Describe", "Get", "List")


def _in_both(stacks: Stacks, name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Resources of the stacks that make roles of workloads: add-ons have theirs with the cluster."""
    return resources(stacks[name, "cluster"], kind) | resources(stacks[name, "identity"], kind)


def _own(stacks: Stacks, name: str) -> Iterator[dict[str, Any]]:
    """Every statement of our own policies on workloads."""
    for policy in resources(stacks[name, "identity"], "aws_iam_role_policy").values():
        yield from statements(policy["policy"])


@pytest.mark.parametrize("name", EKS)
def test_each_service_account_has_its_role_and_no_other_gets_one(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    environment = environments[name]
    cluster = f"arn:aws:eks:ap-southeast-1:{environment.aws.account}:cluster/dhakacart-{name}"
    roles = _in_both(stacks, name, "aws_iam_role")
    associations = _in_both(stacks, name, "aws_eks_pod_identity_association")
    found = {
        (one["namespace"], one["service_account"]): roles[one["role_arn"].split(".")[1]]
        for one in associations.values()
    }
    assert len(found) == len(associations)
    assert set(found) == {(one.namespace, one.service_account) for one in workloads_on("eks")}
    for workload in workloads_on("eks"):
        role = found[workload.namespace, workload.service_account]
        assert role["name"] == environment.names.role(workload.name)
        (trust,) = statements(role["assume_role_policy"])
        assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert set(trust["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
        assert trust["Condition"] == {
            "StringEquals": {
                "aws:SourceAccount": environment.aws.account,
                "aws:RequestTag/kubernetes-namespace": workload.namespace,
                "aws:RequestTag/kubernetes-service-account": workload.service_account,
            },
            "ArnEquals": {"aws:SourceArn": cluster},
        }


@pytest.mark.parametrize("name", EKS)
def test_each_role_has_the_permissions_of_its_workload_and_no_other(stacks: Stacks, name: str) -> None:
    given: dict[str, set[str]] = {}
    for policy in resources(stacks[name, "identity"], "aws_iam_role_policy").values():
        given.setdefault(policy["role"], set()).add(policy["name"])
    for policy in resources(stacks[name, "cluster"], "aws_iam_role_policy_attachment").values():
        for workload in workloads_on("eks"):
            if policy["role"] == f"${{aws_iam_role.{workload.name}-role.name}}":
                given.setdefault(policy["role"], set()).add(policy["policy_arn"].rsplit("/", 1)[1])
    managed = {"network-interfaces": "AmazonEKS_CNI_Policy", "volumes": "AmazonEBSCSIDriverPolicy"}
    assert given == {
        f"${{aws_iam_role.{workload.name}-role.name}}": {
            managed.get(permission, permission) for permission in workload.permissions
        }
        for workload in workloads_on("eks")
    }


def test_on_k3s_every_node_may_do_what_its_workloads_need(stacks: Stacks) -> None:
    assert not resources(stacks["dev", "identity"], "aws_iam_role")
    assert not resources(stacks["dev", "identity"], "aws_eks_pod_identity_association")
    policies = resources(stacks["dev", "identity"], "aws_iam_role_policy")
    wanted = {permission for workload in workloads_on("k3s") for permission in workload.permissions}
    assert set(policies) == {
        f"{node}-{permission}" for node in ("servers", "agents") for permission in wanted
    }
    for permission in wanted:
        servers, agents = (policies[f"{node}-{permission}"] for node in ("servers", "agents"))
        assert servers["policy"] == agents["policy"]
        assert servers["role"] != agents["role"]


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_whatever_writes_is_narrowed(stacks: Stacks, name: str) -> None:
    for each in _own(stacks, name):
        actions = [action.split(":")[1] for action in each["Action"]]
        assert "*" not in "".join(actions)
        if each["Resource"] == ["*"]:
            assert all(action.startswith(READING) for action in actions), actions


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_secrets_are_those_of_the_environment(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    readers = [each for each in _own(stacks, name) if "secretsmanager:GetSecretValue" in each["Action"]]
    assert readers
    for reader in readers:
        (resource,) = reader["Resource"]
        assert resource.endswith(f":secret:{environments[name].names.secrets_pattern}")


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_keys_are_used_through_a_service_only(stacks: Stacks, name: str) -> None:
    uses = [
        each for each in _own(stacks, name) if any(action.startswith("kms:") for action in each["Action"])
    ]
    assert uses
    for use in uses:
        assert use["Condition"]["StringEquals"]["kms:ViaService"]
        assert use["Condition"]["StringLike"]


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_only_answers_to_dns_01_are_written_and_only_in_the_domains_zone(stacks: Stacks, name: str) -> None:
    zone = stacks[name, "identity"]["data"]["aws_route53_zone"]["zone"]
    assert zone["private_zone"] is False
    writers = [each for each in _own(stacks, name) if "route53:ChangeResourceRecordSets" in each["Action"]]
    assert writers
    for writer in writers:
        assert writer["Resource"] == ["${data.aws_route53_zone.zone.arn}"]
        (names,) = writer["Condition"]["ForAllValues:StringLike"].values()
        assert names == [f"_acme-challenge.{zone['name']}", f"_acme-challenge.*.{zone['name']}"]
        assert writer["Condition"]["ForAllValues:StringEquals"] == {
            "route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]
        }
        assert set(writer["Condition"]["Null"].values()) == {"false"}


@pytest.mark.parametrize("name", EKS)
def test_the_autoscaler_resizes_what_carries_the_tag_that_its_groups_have(stacks: Stacks, name: str) -> None:
    (writer,) = [each for each in _own(stacks, name) if "autoscaling:SetDesiredCapacity" in each["Action"]]
    ((key, value),) = writer["Condition"]["StringEquals"].items()
    tags = [each["tag"] for each in resources(stacks[name, "cluster"], "aws_autoscaling_group_tag").values()]
    assert {"key": key.removeprefix("aws:ResourceTag/"), "value": value, "propagate_at_launch": False} in tags


def test_every_workload_is_somewhere(stacks: Stacks) -> None:
    made = {role for name in EKS for role in _in_both(stacks, name, "aws_iam_role")}
    assert {f"{workload.name}-role" for workload in WORKLOADS} <= made


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_nothing_secret_is_handed_on(stacks: Stacks, name: str) -> None:
    for lifecycle in ("cluster", "identity"):
        outputs = json.dumps(stacks[name, lifecycle].get("output", {}))
        assert "token" not in outputs
        assert "password" not in outputs
