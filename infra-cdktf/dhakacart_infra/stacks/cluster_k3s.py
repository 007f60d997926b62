"""K3s on EC2: servers with embedded etcd behind a fixed address, and agents in an Auto Scaling group.

Servers are instances and not groups of one. EC2 by itself recovers an instance from a broken host, with its
address and disk, so that it is the same member of etcd as before; a group would begin a new member each time
and leave a dead one behind, which counts against the majority. A zone that is lost takes one of three or two
of five.

A server is replaced on purpose, one at a time, also to upgrade: `kubectl delete node`, which takes its member
out of etcd, then `terraform apply -replace=aws_instance.server-a`. Machine image and script of a server that
runs are left alone. Agents: `kubectl drain`, then terminate the instance; the group starts one in its place.

When all servers are lost, new ones try to join a cluster that is gone. On one of them restore etcd from the
bucket (docs.k3s.io, `k3s server --cluster-reset`), or begin anew: `cluster-init: true` in place of `server`
in /etc/rancher/k3s/config.yaml.d/join.yaml. A server that is alone begins anew by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupLaunchTemplate,
    AutoscalingGroupTag,
)
from cdktf_cdktf_provider_aws.autoscaling_policy import (
    AutoscalingPolicy,
    AutoscalingPolicyTargetTrackingConfiguration,
    AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.instance import (
    Instance,
    InstanceMetadataOptions,
    InstanceRootBlockDevice,
)
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import LbListener, LbListenerDefaultAction
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.lb_target_group_attachment import LbTargetGroupAttachment
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from dhakacart_infra import tf
from dhakacart_infra.constructs import k3s_boot
from dhakacart_infra.constructs.bucket import bucket
from dhakacart_infra.constructs.firewall import Traffic, inward, outward, security_group
from dhakacart_infra.constructs.nodes import (
    instance_profile,
    launch_template,
    metadata_hops,
    node_role,
)
from dhakacart_infra.policies import document, statement
from dhakacart_infra.stacks.cluster_base import Cluster, ClusterOutputs
from dhakacart_infra.stacks.data import DataOutputs
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config import cluster as config
from generator.config.aws import Zone
from generator.config.infrastructure import Infrastructure
from generator.facts.ec2 import instances

API = Traffic(6443)
IMAGES = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default"
ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
SNAPSHOT_DAYS = 35
BUSY_PERCENT = 60
"""CPU of the agents at which there is one more, up to the maximum; nothing on K3s counts pods that wait."""


class ClusterK3s(Cluster):
    """Servers, agents, and what they need to find and trust each other."""

    def __init__(
        self,
        scope: tf.Construct,
        infrastructure: Infrastructure,
        cluster: config.K3sCluster,
        network: NetworkOutputs,
        data: DataOutputs,
    ) -> None:
        super().__init__(scope, infrastructure, network, data)
        self._config = cluster
        self._logs = CloudwatchLogGroup(
            self,
            "node-logs",
            name=f"/dhakacart/{infrastructure.name}/nodes",
            retention_in_days=self.log_retention_days,
        )
        self._tokens = {name: self._token(name) for name in ("server", "agent")}
        self._snapshots = bucket(
            self,
            "etcd",
            self.names.etcd_bucket,
            self.key.arn,
            keep=infrastructure.production,
            old_versions_days=SNAPSHOT_DAYS,
            expiry_days=SNAPSHOT_DAYS,
        )
        self._balancer = self._fixed_address()
        roles = self._profiles()
        self._servers(roles["servers"])
        agents = self._agents(roles["agents"])
        self.outputs = ClusterOutputs(
            name=self.names.cluster,
            api_endpoint=f"https://{self._balancer.dns_name}:{API.port}",
            node_security_group_id=self.nodes.id,
            node_role_names={name: profile.role for name, profile in roles.items()},
            autoscaling_group_names={"agents": agents.name},
        )

    def _token(self, name: str) -> SecretsmanagerSecret:
        """An entry without a value: the first server makes it, so Terraform's state never has it."""
        return SecretsmanagerSecret(
            self,
            f"{name}-token",
            name=self.names.node_secret(f"{name}-token"),
            description=f"By this K3s {name}s join",
            kms_key_id=self.key.arn,
            recovery_window_in_days=7,
        )

    def _profiles(self) -> dict[str, IamInstanceProfile]:
        """Agents can join as agents only: their token and nothing of the servers'."""
        server, agent = (self._tokens[name].arn for name in ("server", "agent"))
        read = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        key = statement(["kms:Decrypt", "kms:GenerateDataKey"], [self.key.arn])
        logs = statement(
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [f"{self._logs.arn}:*"]
        )
        snapshots = [
            statement(["s3:GetBucketLocation", "s3:ListBucket"], [self._snapshots.arn]),
            statement(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{self._snapshots.arn}/*"]),
        ]
        rights = {
            "servers": document(
                statement([*read, "secretsmanager:PutSecretValue"], [server, agent]), key, logs, *snapshots
            ),
            "agents": document(statement(read, [agent]), key, logs),
        }
        profiles = {}
        for name, policy in rights.items():
            role, _ = node_role(self, name)
            IamRolePolicy(self, f"{name}-role-policy", name="join", role=role.name, policy=policy)
            profiles[name] = instance_profile(self, name, role)
        return profiles

    def _fixed_address(self) -> Lb:
        """An internal load balancer: servers come and go behind it, and certificates name it."""
        group = security_group(self, "api", self.network.vpc_id, "The load balancer of the Kubernetes API")
        inward(self, "api-from-nodes", group.id, self.nodes.id, API, "Nodes that join, and pods")
        outward(self, "api-to-nodes", group.id, self.nodes.id, API, "Servers")
        inward(self, "nodes-from-api", self.nodes.id, group.id, API, "Servers from their load balancer")
        outward(self, "nodes-to-api", self.nodes.id, group.id, API, "Nodes that join, and pods")
        balancer = Lb(
            self,
            "api",
            name=self.names.api,
            load_balancer_type="network",
            internal=True,
            subnets=list(self.subnets.values()),
            security_groups=[group.id],
            enable_cross_zone_load_balancing=True,  # there may be fewer servers than zones
            enable_deletion_protection=self.infrastructure.critical,
        )
        self._targets = self._target_group()
        LbListener(
            self,
            "api-listener",
            load_balancer_arn=balancer.arn,
            port=API.port,
            protocol="TCP",
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=self._targets.arn)],
        )
        return balancer

    def _target_group(self) -> LbTargetGroup:
        return LbTargetGroup(
            self,
            "api-targets",
            name=self.names.api,
            vpc_id=self.network.vpc_id,
            port=API.port,
            protocol="TCP",
            target_type="instance",
            preserve_client_ip="false",  # with it, a server that is sent to itself gets no answer
            deregistration_delay="60",
            health_check=LbTargetGroupHealthCheck(
                protocol="TCP",  # by HTTPS it would refuse the elliptic curves of K3s' certificate
                # Two minutes: a server that joins must not be sent to itself before it has.
                interval=30,
                healthy_threshold=4,
                unhealthy_threshold=2,
            ),
        )

    def _servers(self, profile: IamInstanceProfile) -> None:
        places = list(self._places())
        image = self._image(self._config.servers.type, "servers")
        for id_, zone in places:
            script = self._server_script(first=id_ == places[0][0], alone=len(places) == 1)
            server = self._server(id_, zone, image, profile, script)
            LbTargetGroupAttachment(
                self, f"{id_}-target", target_group_arn=self._targets.arn, target_id=server.id, port=API.port
            )

    def _server_script(self, *, first: bool, alone: bool) -> str:
        settings = {
            "cluster-cidr": self._config.pod_cidr,
            "service-cidr": self._config.service_cidr,
            "etcd-s3-bucket": self._snapshots.bucket,
            "etcd-s3-region": self.infrastructure.aws.region,
            "etcd-s3-endpoint": f"s3.{self.infrastructure.aws.region}.amazonaws.com",
        }
        boot = self._boot(self._config.servers.type)
        return k3s_boot.server(boot, settings, first=first, alone=alone)

    def _places(self) -> Iterator[tuple[str, Zone]]:
        """Ids of servers and their zones, in turn: server-a, server-b, server-c, server-a2…"""
        for number in range(self._config.servers.count):
            lap, position = divmod(number, len(self.zones))
            zone = self.zones[position]
            yield f"server-{zone}{lap + 1 if lap else ''}", zone

    def _server(self, id_: str, zone: Zone, image: str, profile: IamInstanceProfile, script: str) -> Instance:
        return Instance(
            self,
            id_,
            ami=image,
            instance_type=self._config.servers.type,
            subnet_id=self.subnets[zone],
            vpc_security_group_ids=[self.nodes.id],
            iam_instance_profile=profile.name,
            user_data=script,
            disable_api_termination=self.infrastructure.critical,
            ebs_optimized=True,
            monitoring=self.infrastructure.critical,
            metadata_options=InstanceMetadataOptions(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=metadata_hops("k3s"),
            ),
            root_block_device=InstanceRootBlockDevice(
                volume_type="gp3",
                volume_size=config.NODE_DISK_GIB,
                encrypted=True,
                tags=self.tags | self.named(id_),
            ),
            lifecycle=tf.TerraformResourceLifecycle(ignore_changes=["ami", "user_data"]),
            tags=self.named(id_),
        )

    def _agents(self, profile: IamInstanceProfile) -> AutoscalingGroup:
        nodes = self._config.agents
        # By a local: inside of a function's argument references would be taken for text.
        script = tf.TerraformLocal(self, "agents-script", k3s_boot.agent(self._boot(nodes.type), {}))
        template = launch_template(
            self,
            "agents",
            self.nodes.id,
            instance_type=nodes.type,
            image=self._image(nodes.type, "agents"),
            profile=profile,
            user_data=tf.Fn.base64encode(script.as_string),
        )
        group = AutoscalingGroup(
            self,
            "agents",
            name=f"{self.names.cluster}-agents",
            min_size=nodes.min,
            max_size=nodes.max,
            vpc_zone_identifier=list(self.subnets.values()),
            launch_template=AutoscalingGroupLaunchTemplate(
                id=template.id, version=tf.Token.as_string(template.latest_version)
            ),
            health_check_type="EC2",
            enabled_metrics=["GroupDesiredCapacity", "GroupInServiceInstances"],
            tag=[
                # Instances have theirs from the template.
                AutoscalingGroupTag(key=key, value=value, propagate_at_launch=False)
                for key, value in (self.tags | self.named("agents")).items()
            ],
        )
        AutoscalingPolicy(
            self,
            "agents-busy",
            name="busy",
            autoscaling_group_name=group.name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=AutoscalingPolicyTargetTrackingConfiguration(
                predefined_metric_specification=AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification(
                    predefined_metric_type="ASGAverageCPUUtilization"
                ),
                target_value=BUSY_PERCENT,
                disable_scale_in=True,  # nothing would drain the node
            ),
        )
        return group

    def _boot(self, kind: str) -> k3s_boot.Boot:
        return k3s_boot.Boot(
            release=self._config.release,
            arch=instances()[kind].arch,
            region=self.infrastructure.aws.region,
            api=self._balancer.dns_name,
            log_group=self._logs.name,
            server_token=self._tokens["server"].name,
            agent_token=self._tokens["agent"].name,
        )

    def _image(self, kind: str, of: str) -> str:
        """The newest Amazon Linux 2023 for a type of instance."""
        name = f"{IMAGES}-{ARCHITECTURES[instances()[kind].arch]}"
        return DataAwsSsmParameter(self, f"{of}-image", name=name).insecure_value
