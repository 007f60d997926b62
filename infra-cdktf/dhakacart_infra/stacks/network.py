"""The VPC: three tiers of subnets over the environment's zones, ways out, and a record of all traffic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint

from dhakacart_infra import tf
from dhakacart_infra.policies import allow, assumed_by
from dhakacart_infra.stacks.base import Stack
from generator.config.aws import Zone
from generator.config.infrastructure import Infrastructure

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class NetworkOutputs:
    """What other stacks build on; subnets by zone letter."""

    vpc_id: str
    vpc_cidr: str
    public_subnets: dict[Zone, str]
    private_subnets: dict[Zone, str]
    data_subnets: dict[Zone, str]


class Network(Stack):
    """Nodes and pods in private subnets, the load balancer in public ones, the database without a way out."""

    def __init__(self, scope: tf.Construct, infrastructure: Infrastructure) -> None:
        super().__init__(scope, infrastructure, "network")
        network = infrastructure.aws.network
        self._vpc = Vpc(
            self,
            "vpc",
            cidr_block=network.cidr,
            enable_dns_hostnames=True,  # nodes find a private EKS endpoint by it
            enable_dns_support=True,
            lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=infrastructure.production),
            tags=self.named("vpc"),
        )
        DefaultSecurityGroup(self, "default-security-group", vpc_id=self._vpc.id)  # without rules: nobody's
        internet = InternetGateway(self, "internet", vpc_id=self._vpc.id, tags=self.named("internet"))
        public = self._tier("public", network.public_subnets, {"kubernetes.io/role/elb": "1"})
        private = self._tier("private", network.private_subnets, {"kubernetes.io/role/internal-elb": "1"})
        data = self._tier("data", network.data_subnets, {})
        tables = [self._public_routes(public, internet), *self._private_routes(private, public)]
        tables.append(self._table("data", data.values()))
        self._endpoint(tables)
        self._flow_logs()
        self.outputs = NetworkOutputs(
            vpc_id=self._vpc.id,
            vpc_cidr=network.cidr,
            public_subnets=_ids(public),
            private_subnets=_ids(private),
            data_subnets=_ids(data),
        )

    def _tier(self, tier: str, ranges: Mapping[Zone, str], tags: dict[str, str]) -> dict[Zone, Subnet]:
        return {
            zone: Subnet(
                self,
                f"{tier}-{zone}",
                vpc_id=self._vpc.id,
                availability_zone=self.zone_name(zone),
                cidr_block=cidr,
                map_public_ip_on_launch=False,
                tags=self.named(f"{tier}-{zone}") | tags,
            )
            for zone, cidr in ranges.items()
        }

    def _table(self, name: str, subnets: Iterable[Subnet]) -> RouteTable:
        table = RouteTable(self, f"routes-{name}", vpc_id=self._vpc.id, tags=self.named(name))
        for subnet in subnets:
            RouteTableAssociation(
                self,
                f"routes-of-{subnet.node.id}",
                route_table_id=table.id,
                subnet_id=subnet.id,
            )
        return table

    def _public_routes(self, public: dict[Zone, Subnet], internet: InternetGateway) -> RouteTable:
        table = self._table("public", public.values())
        Route(
            self,
            "public-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=internet.id,
        )
        return table

    def _private_routes(self, private: dict[Zone, Subnet], public: dict[Zone, Subnet]) -> list[RouteTable]:
        """A table a zone, so that NAT can become one a zone without moving a subnet."""
        single = self.infrastructure.aws.network.nat == "single"
        with_nat = self.zones[:1] if single else self.zones
        gateways = {zone: self._nat(zone, public[zone]) for zone in with_nat}
        tables = []
        for zone, subnet in private.items():
            table = self._table(f"private-{zone}", [subnet])
            Route(
                self,
                f"private-{zone}-nat",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[self.zones[0] if single else zone].id,
            )
            tables.append(table)
        return tables

    def _nat(self, zone: Zone, subnet: Subnet) -> NatGateway:
        address = Eip(self, f"nat-address-{zone}", domain="vpc", tags=self.named(f"nat-{zone}"))
        return NatGateway(
            self,
            f"nat-{zone}",
            allocation_id=address.allocation_id,
            subnet_id=subnet.id,
            tags=self.named(f"nat-{zone}"),
        )

    def _endpoint(self, tables: list[RouteTable]) -> None:
        """S3 without NAT: images' layers, Loki's chunks and backups cost nothing per byte."""
        VpcEndpoint(
            self,
            "s3",
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self.infrastructure.aws.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self.named("s3"),
        )

    def _flow_logs(self) -> None:
        group = CloudwatchLogGroup(
            self,
            "flow-logs",
            name=f"/dhakacart/{self.infrastructure.name}/flow-logs",
            retention_in_days=365 if self.infrastructure.production else 30,
        )
        role = IamRole(
            self,
            "flow-logs-role",
            name=self.names.role("flow-logs"),
            assume_role_policy=assumed_by("vpc-flow-logs.amazonaws.com", account=self.names.account),
        )
        IamRolePolicy(
            self,
            "flow-logs-policy",
            name="write",
            role=role.id,
            policy=allow(
                ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], [f"{group.arn}:*"]
            ),
        )
        FlowLog(
            self,
            "flow-log",
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags=self.named("flow-log"),
        )


def _ids(subnets: Mapping[Zone, Subnet]) -> dict[Zone, str]:
    return {zone: subnet.id for zone, subnet in subnets.items()}
