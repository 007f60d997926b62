"""IAM roles of workloads on EKS: who may take one, and by which association its pods get it."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from dhakacart_infra.constructs.permissions import Grant
from dhakacart_infra.policies import document
from dhakacart_infra.stacks.base import Stack
from generator.config.infrastructure import Infrastructure
from generator.config.workloads import Permission, Workload

POD_IDENTITY = "pods.eks.amazonaws.com"


def cluster_arn(infrastructure: Infrastructure) -> str:
    """ARN of the EKS cluster."""
    aws = infrastructure.aws
    return f"arn:aws:eks:{aws.region}:{aws.account}:cluster/{infrastructure.names.cluster}"


def trust(infrastructure: Infrastructure, workload: Workload) -> str:
    """Pod Identity, on behalf of this cluster, for pods of this ServiceAccount and no other.

    The association alone would do, as long as nobody makes a second one; the tags are those of the session
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html).
    """
    return document(
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": POD_IDENTITY},
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": infrastructure.aws.account,
                    "aws:RequestTag/kubernetes-namespace": workload.namespace,
                    "aws:RequestTag/kubernetes-service-account": workload.service_account,
                },
                "ArnEquals": {"aws:SourceArn": cluster_arn(infrastructure)},
            },
        }
    )


def workload_role(
    stack: Stack, workload: Workload, cluster_name: str, grants: dict[Permission, Grant]
) -> EksPodIdentityAssociation:
    """A workload's role, with what it is granted, bound to its ServiceAccount."""
    role = IamRole(
        stack,
        f"{workload.name}-role",
        name=stack.names.role(workload.name),
        description=f"Pods of {workload.namespace}/{workload.service_account}",
        assume_role_policy=trust(stack.infrastructure, workload),
    )
    granted = [
        given
        for permission in workload.permissions
        for given in grant_to(
            stack, f"{workload.name}-{permission}", role.name, permission, grants[permission]
        )
    ]
    return EksPodIdentityAssociation(
        stack,
        f"{workload.name}-association",
        cluster_name=cluster_name,
        namespace=workload.namespace,
        service_account=workload.service_account,
        role_arn=role.arn,
        depends_on=granted,  # pods that start with the role find it complete
    )


def grant_to(
    stack: Stack, id_: str, role_name: str, permission: Permission, grant: Grant
) -> list[IamRolePolicy | IamRolePolicyAttachment]:
    """Give a role one permission, under its name."""
    if isinstance(grant, str):
        return [IamRolePolicy(stack, id_, name=permission, role=role_name, policy=grant)]
    return [IamRolePolicyAttachment(stack, id_, role=role_name, policy_arn=grant.arn)]
