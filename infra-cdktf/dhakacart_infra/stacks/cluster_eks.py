"""Amazon EKS: a private API server, one managed node group a zone, add-ons in the order that nodes need them.

People reach the API server from inside the VPC, through Session Manager's port forwarding by way of a node.
What runs in the cluster is Argo CD's; Terraform makes no Kubernetes object.
"""

from __future__ import annotations

import json
from typing import Any

from cdktf_cdktf_provider_aws.autoscaling_group_tag import AutoscalingGroupTagA, AutoscalingGroupTagTag
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_eks_addon_version import DataAwsEksAddonVersion
from cdktf_cdktf_provider_aws.eks_access_entry import EksAccessEntry
from cdktf_cdktf_provider_aws.eks_access_policy_association import (
    EksAccessPolicyAssociation,
    EksAccessPolicyAssociationAccessScope,
)
from cdktf_cdktf_provider_aws.eks_addon import EksAddon
from cdktf_cdktf_provider_aws.eks_cluster import (
    EksCluster,
    EksClusterAccessConfig,
    EksClusterEncryptionConfig,
    EksClusterEncryptionConfigProvider,
    EksClusterKubernetesNetworkConfig,
    EksClusterUpgradePolicy,
    EksClusterVpcConfig,
    EksClusterZonalShiftConfig,
)
from cdktf_cdktf_provider_aws.eks_node_group import (
    EksNodeGroup,
    EksNodeGroupLaunchTemplate,
    EksNodeGroupNodeRepairConfig,
    EksNodeGroupScalingConfig,
    EksNodeGroupUpdateConfig,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.launch_template import LaunchTemplate
from cdktf_cdktf_provider_aws.security_group import SecurityGroup

from dhakacart_infra import tf
from dhakacart_infra.constructs import permissions
from dhakacart_infra.constructs.firewall import Traffic, inward, outward, security_group
from dhakacart_infra.constructs.nodes import launch_template, node_role
from dhakacart_infra.constructs.workload_roles import workload_role
from dhakacart_infra.policies import allow, assumed_by
from dhakacart_infra.stacks.cluster_base import HTTPS, Cluster, ClusterOutputs
from dhakacart_infra.stacks.data import DataOutputs
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config import cluster as config
from generator.config.aws import Zone
from generator.config.infrastructure import Infrastructure
from generator.config.workloads import workloads_on
from generator.facts.ec2 import instances

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CALLED = "Kubelets, webhooks, aggregated APIs"
KUBELET = Traffic(10250)
"""The kubelets, and every webhook and API of ours that the API server calls: all listen on this port."""

BEFORE_NODES = ("eks-pod-identity-agent", "vpc-cni", "kube-proxy")
"""Without them a node does not become ready, and its group fails: identities first, then addresses that are
asked for with one. Nothing waits for kube-proxy by name, but the VPC CNI finds the API server through it."""

AFTER_NODES = ("coredns", "aws-ebs-csi-driver")
"""Healthy only when their pods run."""

ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
AMI_TYPES = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
ZONE_OF_VOLUMES = "topology.ebs.csi.aws.com/zone"


class ClusterEks(Cluster):
    """The control plane and everything that pods of ours need to be started."""

    def __init__(
        self,
        scope: tf.Construct,
        infrastructure: Infrastructure,
        cluster: config.EksCluster,
        network: NetworkOutputs,
        data: DataOutputs,
    ) -> None:
        super().__init__(scope, infrastructure, network, data)
        self._config = cluster
        self._made = self._control_plane(self._firewall())
        self._administrators()
        role, attached = node_role(
            self, "nodes", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"
        )
        identities = self._identities()
        early = [self._addon(name, identities) for name in BEFORE_NODES]
        template = launch_template(self, "nodes", self.nodes.id)
        groups = self._node_groups(role, template, [*attached, *early, *self.node_rules])
        for name in AFTER_NODES:
            self._addon(name, [*identities, *groups.values()])
        self.outputs = ClusterOutputs(
            name=self._made.name,
            api_endpoint=self._made.endpoint,
            node_security_group_id=self.nodes.id,
            node_role_names={"nodes": role.name},
            autoscaling_group_names={zone: self._discoverable(zone, group) for zone, group in groups.items()},
        )

    def _control_plane(self, group: SecurityGroup) -> EksCluster:
        logs = CloudwatchLogGroup(
            self,
            "control-plane-logs",
            name=f"/aws/eks/{self.names.cluster}/cluster",  # EKS would make it, and keep all for ever
            retention_in_days=self.log_retention_days,
        )
        role, rights = self._control_plane_role()
        return EksCluster(
            self,
            "cluster",
            name=self.names.cluster,
            version=self._config.version,
            role_arn=role.arn,
            access_config=EksClusterAccessConfig(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            bootstrap_self_managed_addons=False,
            enabled_cluster_log_types=list(LOGS),
            encryption_config=EksClusterEncryptionConfig(
                provider=EksClusterEncryptionConfigProvider(key_arn=self.key.arn), resources=["secrets"]
            ),
            kubernetes_network_config=EksClusterKubernetesNetworkConfig(
                ip_family="ipv4", service_ipv4_cidr=self._config.service_cidr
            ),
            # Dearer when forgotten; the other choice upgrades by itself, perhaps during a sale.
            upgrade_policy=EksClusterUpgradePolicy(support_type="EXTENDED"),
            vpc_config=EksClusterVpcConfig(
                subnet_ids=list(self.subnets.values()),
                security_group_ids=[group.id],
                endpoint_private_access=True,
                endpoint_public_access=False,
            ),
            zonal_shift_config=EksClusterZonalShiftConfig(enabled=self.infrastructure.critical),
            lifecycle=tf.TerraformResourceLifecycle(
                prevent_destroy=self.infrastructure.production,
                # It counts only when a cluster is made; any other answer later would make it anew.
                ignore_changes=["access_config[0].bootstrap_cluster_creator_admin_permissions"],
            ),
            depends_on=[logs, *rights],
        )

    def _control_plane_role(self) -> tuple[IamRole, list[IamRolePolicy | IamRolePolicyAttachment]]:
        role = IamRole(
            self,
            "control-plane-role",
            name=self.names.role("control-plane"),
            assume_role_policy=assumed_by("eks.amazonaws.com", account=self.names.account),
        )
        policy = IamRolePolicyAttachment(
            self,
            "control-plane-role-policy",
            role=role.name,
            policy_arn=permissions.Managed("AmazonEKSClusterPolicy").arn,
        )
        encryption = IamRolePolicy(
            self,
            "control-plane-role-encryption",
            name="encrypt-secrets",
            role=role.name,
            policy=allow(["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"], [self.key.arn]),
        )
        return role, [policy, encryption]

    def _firewall(self) -> SecurityGroup:
        """The group of the control plane's interfaces, beside EKS' own, which lets nobody in."""
        api = security_group(self, "control-plane", self.network.vpc_id, "Interfaces of the Kubernetes API")
        nodes = self.nodes.id
        self.node_rules += [
            inward(self, "control-plane-from-nodes", api.id, nodes, HTTPS, "API, from nodes and pods"),
            outward(self, "control-plane-to-nodes", api.id, nodes, KUBELET, CALLED),
            inward(self, "nodes-from-control-plane", nodes, api.id, KUBELET, CALLED),
        ]
        return api

    def _administrators(self) -> None:
        """The role that applies Terraform, of the bootstrap stack; not even who made the cluster."""
        apply = f"arn:aws:iam::{self.names.account}:role/{self.names.role('apply')}"
        entry = EksAccessEntry(
            self, "apply-access", cluster_name=self._made.name, principal_arn=apply, type="STANDARD"
        )
        EksAccessPolicyAssociation(
            self,
            "apply-access-policy",
            cluster_name=self._made.name,
            principal_arn=entry.principal_arn,
            policy_arn=ADMINISTRATOR,
            access_scope=EksAccessPolicyAssociationAccessScope(type="cluster"),
        )

    def _identities(self) -> list[Any]:
        """Roles of EKS' own add-ons: here, because nodes do not come up without them."""
        return [
            workload_role(
                self,
                workload,
                self._made.name,
                {permission: permissions.of_cluster(permission) for permission in workload.permissions},
            )
            for workload in workloads_on("eks")
            if not workload.app
        ]

    def _addon(self, name: str, after: list[Any]) -> EksAddon:
        """An add-on in AWS' default version for this Kubernetes: a newer one shows in the plan."""
        version = DataAwsEksAddonVersion(
            self, f"{name}-version", addon_name=name, kubernetes_version=self._made.version
        )
        settings = self._settings().get(name)
        return EksAddon(
            self,
            f"addon-{name}",
            cluster_name=self._made.name,
            addon_name=name,
            addon_version=version.version,
            configuration_values=json.dumps(settings, sort_keys=True) if settings else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",  # settings are here, or nowhere
            depends_on=after,
        )

    def _settings(self) -> dict[str, dict[str, Any]]:
        return {
            "vpc-cni": {
                "enableNetworkPolicy": "true",  # or every NetworkPolicy of ours is without effect
                "env": {"ENABLE_PREFIX_DELEGATION": "false"},  # as `EksCluster` counts places and addresses
            },
            "aws-ebs-csi-driver": {"controller": {"extraVolumeTags": self.tags}},
        }

    def _node_groups(
        self, role: IamRole, template: LaunchTemplate, after: list[Any]
    ) -> dict[Zone, EksNodeGroup]:
        """One a zone: where a volume is a node can be, and the autoscaler knows where it adds one."""
        shares = zip(self.zones, self._config.nodes.in_each_zone(len(self.zones)), strict=True)
        return {
            zone: self._node_group(zone, fewest, most, role, template, after)
            for zone, (fewest, most) in shares
            if most
        }

    def _node_group(
        self, zone: Zone, fewest: int, most: int, role: IamRole, template: LaunchTemplate, after: list[Any]
    ) -> EksNodeGroup:
        kind = self._config.nodes.type
        return EksNodeGroup(
            self,
            f"nodes-{zone}",
            cluster_name=self._made.name,
            node_group_name_prefix=f"nodes-{zone}-",
            node_role_arn=role.arn,
            subnet_ids=[self.subnets[zone]],
            version=self._made.version,
            ami_type=AMI_TYPES[instances()[kind].arch],
            instance_types=[kind],
            launch_template=EksNodeGroupLaunchTemplate(
                id=template.id, version=tf.Token.as_string(template.latest_version)
            ),
            scaling_config=EksNodeGroupScalingConfig(min_size=fewest, max_size=most, desired_size=fewest),
            update_config=EksNodeGroupUpdateConfig(max_unavailable=1),
            node_repair_config=EksNodeGroupNodeRepairConfig(enabled=True),
            lifecycle=tf.TerraformResourceLifecycle(
                create_before_destroy=True,  # another type of instance: new nodes before the old ones go
                ignore_changes=["scaling_config[0].desired_size"],  # the autoscaler's
            ),
            depends_on=after,
        )

    def _discoverable(self, zone: Zone, group: EksNodeGroup) -> str:
        """The group's Auto Scaling group, with tags by which the cluster autoscaler finds and may resize it.

        The last one says where its nodes would be while it has none, for pods whose volumes are in that zone.
        """
        name = group.resources.get(0).autoscaling_groups.get(0).name
        tags = permissions.autoscaler_tags(self.names.cluster)
        tags["zone"] = (
            f"{permissions.AUTOSCALER}/node-template/label/{ZONE_OF_VOLUMES}",
            self.zone_name(zone),
        )
        for id_, (key, value) in tags.items():
            AutoscalingGroupTagA(
                self,
                f"nodes-{zone}-{id_}",
                autoscaling_group_name=name,
                tag=AutoscalingGroupTagTag(key=key, value=value, propagate_at_launch=False),
            )
        return name
