"""The way in: DNS, the certificate, the load balancer with its firewall, and alarms about all of it.

The hosted zone of the environment's domain is not made here. A person makes it once, in this environment's
account, and enters its four name servers at the registrar or in the zone above: no workflow can do that, and
a zone that is made anew has others. Until it is done, ACM's check of the certificate waits, and the apply
with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.autoscaling_attachment import AutoscalingAttachment
from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from dhakacart_infra import tf
from dhakacart_infra.constructs.balancer import balancer, listeners, targets
from dhakacart_infra.constructs.edge_alarms import Watched, edge_alarms
from dhakacart_infra.constructs.firewall import ANYWHERE, Traffic, inward, outward, security_group
from dhakacart_infra.constructs.waf import waf
from dhakacart_infra.stacks.base import Stack
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config.infrastructure import Infrastructure

RECORD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where requests go: the nodes' security group, and their Auto Scaling groups by keys that stay."""

    security_group_id: str
    autoscaling_group_names: Mapping[str, str]


class Edge(Stack):
    """Shoppers → WAF → load balancer (TLS) → a fixed port of every node (TLS) → Envoy."""

    def __init__(
        self,
        scope: tf.Construct,
        infrastructure: Infrastructure,
        network: NetworkOutputs,
        nodes: Nodes,
        alarm_topic_arn: str,
    ) -> None:
        super().__init__(scope, infrastructure, "edge")
        self._zone = DataAwsRoute53Zone(self, "zone", name=infrastructure.domain, private_zone=False)
        certificate = self._certificate()
        group = self._firewall(network, nodes)
        made = balancer(self, network.public_subnets, group.id)
        target_group = targets(self, network.vpc_id)
        for key, name in nodes.autoscaling_group_names.items():
            AutoscalingAttachment(
                self, f"targets-{key}", autoscaling_group_name=name, lb_target_group_arn=target_group.arn
            )
        listeners(self, made, target_group, certificate.certificate_arn)
        self._records(made)
        flood, log_days = infrastructure.flood, 365 if infrastructure.production else 30
        acl = waf(self, made.arn, flood=flood, log_days=log_days)
        self._alarms(made, target_group, acl.name, certificate.certificate_arn, alarm_topic_arn)

    def _certificate(self) -> AcmCertificateValidation:
        """For every host, proven by records in the zone that stay: ACM renews it by them."""
        first, *others = self.infrastructure.hosts
        certificate = AcmCertificate(
            self,
            "certificate",
            domain_name=first,
            subject_alternative_names=others or None,
            validation_method="DNS",
            lifecycle=tf.TerraformResourceLifecycle(create_before_destroy=True),
            tags=self.named("edge"),
        )
        proofs = [self._proof(certificate, host) for host in self.infrastructure.hosts]
        return AcmCertificateValidation(
            self,
            "certificate-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[proof.fqdn for proof in proofs],
        )

    def _proof(self, certificate: AcmCertificate, host: str) -> Route53Record:
        """The host's record, picked by name: a set that only the apply makes known has no first element."""

        def of(attribute: str) -> str:
            options = f"{certificate.fqn}.domain_validation_options"
            return f'${{one([for each in {options} : each.{attribute} if each.domain_name == "{host}"])}}'

        return Route53Record(
            self,
            f"proof-{host}",
            zone_id=self._zone.zone_id,
            name=of("resource_record_name"),
            type=of("resource_record_type"),
            records=[of("resource_record_value")],
            ttl=RECORD_SECONDS,
        )

    def _firewall(self, network: NetworkOutputs, nodes: Nodes) -> SecurityGroup:
        """Anybody reaches the load balancer on 80 and 443, and it alone the nodes, on one port."""
        group = security_group(self, "edge", network.vpc_id, "Load balancer: from anywhere to nodes")
        for port in (80, 443):
            VpcSecurityGroupIngressRule(
                self,
                f"edge-from-anywhere-{port}",
                security_group_id=group.id,
                cidr_ipv4=ANYWHERE,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="Shoppers",
            )
        https = Traffic(self.infrastructure.node_ports.https)
        outward(self, "edge-to-nodes", group.id, nodes.security_group_id, https, "Envoy on every node")
        inward(self, "nodes-from-edge", nodes.security_group_id, group.id, https, "Envoy, load balancer only")
        return group

    def _records(self, made: Lb) -> None:
        """No AAAA: the VPC has no IPv6 addresses."""
        for host in self.infrastructure.hosts:
            Route53Record(
                self,
                f"host-{host}",
                zone_id=self._zone.zone_id,
                name=host,
                type="A",
                alias=Route53RecordAlias(
                    name=made.dns_name, zone_id=made.zone_id, evaluate_target_health=True
                ),
            )

    def _alarms(
        self, made: Lb, target_group: LbTargetGroup, acl: str, certificate_arn: str, topic_arn: str
    ) -> None:
        edge_alarms(
            self,
            Watched(
                balancer=made.arn_suffix,
                targets=target_group.arn_suffix,
                acl=acl,
                certificate_arn=certificate_arn,
                topic_arn=topic_arn,
            ),
        )
