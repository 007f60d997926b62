"""Security groups and their rules: who may talk to whom, by group wherever there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from dhakacart_infra.stacks.base import Stack

ANYWHERE = "0.0.0.0/0"
EVERYTHING = "-1"


@dataclass(frozen=True, slots=True)
class Traffic:
    """A protocol and its port; without a port all traffic whatsoever."""

    port: int | None = None
    protocol: str = "tcp"

    @property
    def ip_protocol(self) -> str:
        """As AWS has it."""
        return EVERYTHING if self.port is None else self.protocol


ALL = Traffic()


def security_group(
    stack: Stack, name: str, vpc_id: str, description: str, tags: Mapping[str, str] | None = None
) -> SecurityGroup:
    """A group without a rule: nothing comes in, and by Terraform nothing goes out either."""
    return SecurityGroup(
        stack,
        f"{name}-security-group",
        name=f"{stack.names.cluster}-{name}",
        description=description,
        vpc_id=vpc_id,
        tags=stack.named(name) | dict(tags or {}),
    )


def inward(
    stack: Stack, id_: str, group_id: str, source_id: str, traffic: Traffic, description: str
) -> VpcSecurityGroupIngressRule:
    """Members of the group `source_id` reach those of `group_id`."""
    return VpcSecurityGroupIngressRule(
        stack,
        id_,
        security_group_id=group_id,
        referenced_security_group_id=source_id,
        ip_protocol=traffic.ip_protocol,
        from_port=traffic.port,
        to_port=traffic.port,
        description=description,
    )


def outward(
    stack: Stack, id_: str, group_id: str, target_id: str, traffic: Traffic, description: str
) -> VpcSecurityGroupEgressRule:
    """Members of the group `group_id` reach those of `target_id`."""
    return VpcSecurityGroupEgressRule(
        stack,
        id_,
        security_group_id=group_id,
        referenced_security_group_id=target_id,
        ip_protocol=traffic.ip_protocol,
        from_port=traffic.port,
        to_port=traffic.port,
        description=description,
    )


def out_to_anywhere(
    stack: Stack, id_: str, group_id: str, traffic: Traffic, description: str
) -> VpcSecurityGroupEgressRule:
    """Members of the group reach any address on one port."""
    return VpcSecurityGroupEgressRule(
        stack,
        id_,
        security_group_id=group_id,
        cidr_ipv4=ANYWHERE,
        ip_protocol=traffic.ip_protocol,
        from_port=traffic.port,
        to_port=traffic.port,
        description=description,
    )
