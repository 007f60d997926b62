"""Mistakes that were made before, here or elsewhere, each with the check that must find it.

`plant` puts the mistake into a parsed stack; `says` is in what the check answers. Mistakes in Python come as
source. What no check finds has no place here: it would be a wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Stack = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A mistake in the body of a stack of ours."""

    name: str
    code: str
    says: str


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake in what a stack of production synthesizes to."""

    name: str
    stack: str
    plant: Callable[[Stack], None]
    says: str


def _set(kind: str, name: str, /, **arguments: Any) -> Callable[[Stack], None]:
    """Arguments of a resource as they must not be; None takes one away."""

    def plant(stack: Stack) -> None:
        body = stack["resource"][kind][name]
        for argument, value in arguments.items():
            body.pop(argument, None)
            if value is not None:
                body[argument] = value

    return plant


def _add(kind: str, name: str, /, **arguments: Any) -> Callable[[Stack], None]:
    def plant(stack: Stack) -> None:
        stack["resource"].setdefault(kind, {})[name] = arguments

    return plant


def _without(kind: str, name: str) -> Callable[[Stack], None]:
    def plant(stack: Stack) -> None:
        del stack["resource"][kind][name]

    return plant


VPC = 'cidr_block="10.0.0.0/16"'
TYPES = (
    Source("unknown argument", f'Vpc(self, "a", {VPC}, cidr_blok="x")', "call-arg"),
    Source("missing argument", 'Subnet(self, "a", cidr_block="10.0.0.0/24")', "call-arg"),
    Source("wrong type", 'Vpc(self, "a", cidr_block=10)', "arg-type"),
    Source("unknown attribute", f'print(Vpc(self, "a", {VPC}).arnn)', "attr-defined"),
    Source("misspelt field", "EbsBlock(volume_sise=8)", "call-arg"),
)
"""mypy finds them before anything runs."""
SYNTHESIS = (
    Source("unknown argument", f'Vpc(self, "a", {VPC}, cidr_blok="x")', "cidr_blok"),
    Source("missing argument", 'Subnet(self, "a", cidr_block="10.0.0.0/24")', "vpc_id"),
    Source("wrong type", 'Vpc(self, "a", cidr_block=10)', "cidr_block"),
    Source(
        "the same id twice",
        f'Vpc(self, "a", {VPC}); Vpc(self, "a", {VPC})',
        "already a Construct with name 'a'",
    ),
    Source(
        "misspelt key of a dict",
        'LaunchTemplate(self, "a", metadata_options={"http_tokns": "x"})',
        "http_tokns",
    ),
)
"""jsii finds them."""
STYLE = (
    Source(
        "dict in a list, misspelt key: jsii drops it in silence",
        'DbParameterGroup(self, "a", family="postgres17", parameter=[{"name": "x", "aply_method": "x"}])',
        "parameter",
    ),
    Source(
        "dict for a struct",
        'LaunchTemplate(self, "a", metadata_options={"http_tokens": "x"})',
        "metadata_options",
    ),
)
"""Our own rule finds them: structs, never dicts."""
VALIDATE = (
    Planted("unknown argument", "network", _set("aws_vpc", "vpc", cidr_blok="x"), "cidr_blok"),
    Planted("missing argument", "network", _set("aws_subnet", "data-a", vpc_id=None), "vpc_id"),
    Planted("wrong type", "network", _set("aws_vpc", "vpc", enable_dns_support="maybe"), "bool"),
    Planted(
        "dangling reference",
        "network",
        _set("aws_eip", "nat-address-a", instance="${aws_instance.x.id}"),
        "aws_instance",
    ),
    Planted("unknown attribute", "network", _set("aws_subnet", "data-a", vpc_id="${aws_vpc.vpc.idd}"), "idd"),
    Planted(
        "unknown function", "network", _set("aws_vpc", "vpc", cidr_block="${cidrsubnets3(1)}"), "cidrsubnets3"
    ),
    Planted("unknown resource", "network", _add("aws_vpcc", "a", cidr_block="x"), "aws_vpcc"),
    Planted("misspelt block", "edge", _set("aws_lb", "balancer", acces_logs={"bucket": "x"}), "acces_logs"),
    Planted(
        "ignored attribute that is none",
        "network",
        _set("aws_vpc", "vpc", lifecycle={"ignore_changes": ["cidr"]}),
        "cidr",
    ),
    Planted("too long a name", "edge", _set("aws_lb", "balancer", name="x" * 33), "32 characters"),
    Planted("no address range", "network", _set("aws_vpc", "vpc", cidr_block="10.30.0.0/99"), "CIDR"),
    Planted(
        "wrong value of a list",
        "edge",
        _set("aws_lb", "balancer", desync_mitigation_mode="strict"),
        "desync_mitigation_mode",
    ),
    Planted(
        "policy that is no JSON",
        "network",
        _set("aws_iam_role", "flow-logs-role", assume_role_policy="{"),
        "JSON",
    ),
)
"""Terraform finds them with the provider's schema."""
BREAKING = (
    Planted("cycle", "network", _set("aws_vpc", "vpc", tags={"a": "${aws_subnet.data-a.id}"}), "Cycle"),
    Planted(
        "misspelt lifecycle",
        "network",
        _set("aws_vpc", "vpc", lifecycle={"prevent_destory": True}),
        "prevent_destory",
    ),
)
"""Terraform finds them, and says nothing of any other stack then."""
DATABASE = ("aws_db_instance", "database")
PUBLIC = ("aws_s3_bucket_public_access_block", "backup-bucket-public-access")
POLICIES = (
    Planted("database not encrypted", "data", _set(*DATABASE, storage_encrypted=False), "CKV_AWS_16"),
    Planted("database not protected", "data", _set(*DATABASE, deletion_protection=False), "CKV_AWS_293"),
    Planted("database public", "data", _set(*DATABASE, publicly_accessible=True), "CKV_AWS_17"),
    Planted("database in one zone", "data", _set(*DATABASE, multi_az=False), "CKV_AWS_157"),
    Planted("no backups", "data", _set(*DATABASE, backup_retention_period=0), "CKV_AWS_133"),
    Planted(
        "key is never turned", "data", _set("aws_kms_key", "data-key", enable_key_rotation=False), "CKV_AWS_7"
    ),
    Planted("bucket may be public", "data", _set(*PUBLIC, block_public_acls=False), "CKV_AWS_53"),
    Planted("plain HTTP", "edge", _set("aws_lb_listener", "https", protocol="HTTP"), "CKV_AWS_2"),
    Planted(
        "old TLS",
        "edge",
        _set("aws_lb_listener", "https", ssl_policy="ELBSecurityPolicy-2016-08"),
        "CKV_AWS_103",
    ),
    Planted(
        "odd headers pass",
        "edge",
        _set("aws_lb", "balancer", drop_invalid_header_fields=False),
        "CKV_AWS_131",
    ),
    Planted(
        "no firewall", "edge", _without("aws_wafv2_web_acl_association", "waf-association"), "CKV2_AWS_28"
    ),
    Planted(
        "SSH open",
        "edge",
        _add(
            "aws_vpc_security_group_ingress_rule",
            "ssh",
            security_group_id="${aws_security_group.edge-security-group.id}",
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=22,
            to_port=22,
        ),
        "CKV_AWS_24",
    ),
    Planted(
        "all rights",
        "network",
        _add(
            "aws_iam_policy",
            "all",
            name="all",
            policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        ),
        "CKV_AWS_62",
    ),
    Planted(
        "instance metadata without a token",
        "cluster",
        _add("aws_instance", "old", ami="ami-1", instance_type="t3.micro"),
        "CKV_AWS_79",
    ),
    Planted(
        "public API server",
        "cluster",
        lambda stack: stack["resource"]["aws_eks_cluster"]["cluster"]["vpc_config"].update(
            endpoint_public_access=True
        ),
        "CKV_AWS_39",
    ),
)
"""checkov finds them."""
OWN = (
    Planted("backups of a day", "data", _set(*DATABASE, backup_retention_period=1), "test_data"),
    Planted("no last snapshot", "data", _set(*DATABASE, skip_final_snapshot=True), "test_data"),
    Planted("password in the stack", "data", _set(*DATABASE, password="hunter2"), "test_data"),
    Planted(
        "database open to all",
        "data",
        _add(
            "aws_vpc_security_group_ingress_rule",
            "open",
            security_group_id="${aws_security_group.database-security-group.id}",
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=5432,
            to_port=5432,
        ),
        "test_data",
    ),
    Planted("database that can be destroyed", "data", _set(*DATABASE, lifecycle=None), "test_data"),
    Planted("any workflow may apply", "bootstrap", lambda stack: _without_subject(stack), "test_bootstrap"),
    Planted(
        "nodes open to the world",
        "edge",
        lambda stack: stack["resource"]["aws_vpc_security_group_ingress_rule"]["nodes-from-edge"].update(
            cidr_ipv4="0.0.0.0/0", referenced_security_group_id=None
        ),
        "test_edge",
    ),
    Planted(
        "TLS policy that does not exist",
        "edge",
        _set("aws_lb_listener", "https", ssl_policy="ELBSecurityPolicy-TLS14"),
        "test_edge",
    ),
    Planted(
        "way out of the data tier",
        "network",
        _add(
            "aws_route",
            "out",
            route_table_id="${aws_route_table.routes-data.id}",
            gateway_id="${aws_internet_gateway.internet.id}",
            destination_cidr_block="0.0.0.0/0",
        ),
        "test_network",
    ),
    Planted(
        "alarm that reaches nobody",
        "edge",
        lambda stack: stack["resource"]["aws_cloudwatch_metric_alarm"]["alarm-slow"].pop("alarm_actions"),
        "test_edge",
    ),
)
"""What schema and checkov pass, our own tests find."""


def _without_subject(stack: Stack) -> None:
    role = stack["resource"]["aws_iam_role"]["apply-role"]
    role["assume_role_policy"] = role["assume_role_policy"].replace(":sub", ":aud2")
