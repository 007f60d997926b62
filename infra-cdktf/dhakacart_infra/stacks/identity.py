"""What workloads may do in AWS, apart from the cluster: giving one a right never plans the control plane.

On EKS each workload has a role that only its own ServiceAccount gets. K3s has nothing of the kind: there the
nodes may do what all workloads together need, and network policies decide which pods reach the metadata.

EKS' own add-ons are not here: nodes need them to come up, so the cluster stack makes their roles.

The domain's zone is looked up by its name, as in the edge: a person makes it once, before the first stack.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone

from dhakacart_infra import tf
from dhakacart_infra.constructs import permissions
from dhakacart_infra.constructs.workload_roles import grant_to, workload_role
from dhakacart_infra.stacks.base import Stack
from dhakacart_infra.stacks.cluster_base import ClusterOutputs
from dhakacart_infra.stacks.data import DataOutputs
from generator.config.infrastructure import Infrastructure
from generator.config.workloads import Permission, Workload, workloads_on


class Identity(Stack):
    """Roles and their rights, from `generator.config.workloads`."""

    def __init__(
        self,
        scope: tf.Construct,
        infrastructure: Infrastructure,
        data: DataOutputs,
        cluster: ClusterOutputs,
    ) -> None:
        super().__init__(scope, infrastructure, "identity")
        zone = DataAwsRoute53Zone(self, "zone", name=infrastructure.domain, private_zone=False)
        self._resources = permissions.Resources(
            zone_arn=zone.arn,
            secrets_arn=data.secrets_arn,
            logs_bucket_arn=data.logs_bucket_arn,
            key_arn=data.key_arn,
        )
        kind = infrastructure.cluster.kind
        for workload in workloads_on(kind):
            if not workload.app:
                continue
            if kind == "eks":
                workload_role(self, workload, cluster.name, self._grants(workload))
            else:
                self._to_nodes(workload, cluster)

    def _grants(self, workload: Workload) -> dict[Permission, permissions.Grant]:
        return {
            permission: permissions.policy(permission, self.infrastructure, self._resources)
            for permission in workload.permissions
        }

    def _to_nodes(self, workload: Workload, cluster: ClusterOutputs) -> None:
        for permission, grant in self._grants(workload).items():
            for node, role in cluster.node_role_names.items():
                grant_to(self, f"{node}-{permission}", role, permission, grant)
