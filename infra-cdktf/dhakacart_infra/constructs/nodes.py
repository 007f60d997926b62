"""What every node is launched with: metadata by session token, an encrypted disk, tags on all its parts."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateIamInstanceProfile,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateTagSpecifications,
)

from dhakacart_infra.constructs.permissions import Managed
from dhakacart_infra.policies import assumed_by
from dhakacart_infra.stacks.base import Stack
from generator.config.cluster import NODE_DISK_GIB
from generator.config.workloads import ClusterKind

ROOT_DEVICE = "/dev/xvda"
SESSION_MANAGER = "AmazonSSMManagedInstanceCore"
"""How people come in, on record: there is no SSH. It may read SSM's parameters, so no secret is one."""


def metadata_hops(cluster: ClusterKind) -> int:
    """How far answers of the instance's metadata travel: to pods only where they get their rights from it."""
    return 1 if cluster == "eks" else 2


def node_role(stack: Stack, name: str, *policies: str) -> tuple[IamRole, list[IamRolePolicyAttachment]]:
    """A role for instances, with AWS' own `policies` by name beside Session Manager's."""
    role = IamRole(
        stack,
        f"{name}-role",
        name=stack.names.role(name),
        assume_role_policy=assumed_by("ec2.amazonaws.com"),
    )
    attached = [
        IamRolePolicyAttachment(
            stack, f"{name}-role-{policy}", role=role.name, policy_arn=Managed(policy).arn
        )
        for policy in (*policies, SESSION_MANAGER)
    ]
    return role, attached


def instance_profile(stack: Stack, name: str, role: IamRole) -> IamInstanceProfile:
    """What makes a role an instance's."""
    return IamInstanceProfile(stack, f"{name}-profile", name=stack.names.role(name), role=role.name)


def launch_template(
    stack: Stack,
    name: str,
    security_group_id: str,
    *,
    instance_type: str | None = None,
    image: str | None = None,
    profile: IamInstanceProfile | None = None,
    user_data: str | None = None,
) -> LaunchTemplate:
    """The template of one group of nodes. Left out is what EKS decides itself for its managed nodes.

    Neither a public address is asked for nor does a private subnet give one.
    """
    tags = stack.tags | stack.named(name)
    return LaunchTemplate(
        stack,
        f"{name}-template",
        name=f"{stack.names.cluster}-{name}",
        update_default_version=True,
        instance_type=instance_type,
        image_id=image,
        user_data=user_data,
        iam_instance_profile=LaunchTemplateIamInstanceProfile(arn=profile.arn) if profile else None,
        vpc_security_group_ids=[security_group_id],
        metadata_options=LaunchTemplateMetadataOptions(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=metadata_hops(stack.infrastructure.cluster.kind),
            instance_metadata_tags="disabled",
        ),
        block_device_mappings=[
            LaunchTemplateBlockDeviceMappings(
                device_name=ROOT_DEVICE,
                ebs=LaunchTemplateBlockDeviceMappingsEbs(
                    volume_type="gp3",
                    volume_size=NODE_DISK_GIB,
                    encrypted="true",
                    delete_on_termination="true",
                ),
            )
        ],
        monitoring=LaunchTemplateMonitoring(enabled=stack.infrastructure.critical),
        tag_specifications=[
            # Tags of the provider end at the template itself.
            LaunchTemplateTagSpecifications(resource_type=kind, tags=tags)
            for kind in ("instance", "volume", "network-interface")
        ],
    )
