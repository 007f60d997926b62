"""The Application Load Balancer: its log, the nodes it chooses among, and what it does with a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionFixedResponse,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleCondition,
    LbListenerRuleConditionHostHeader,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy

from dhakacart_infra.constructs.bucket import bucket
from dhakacart_infra.policies import statement
from dhakacart_infra.stacks.base import Stack
from generator.config.aws import Zone

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3 and 1.2, only ciphers with forward secrecy; phones since Android 4.4 have it."""
IDLE_SECONDS = 60
"""Envoy keeps a connection for 120: were it the first to close, requests would be lost in between."""
DRAIN_SECONDS = 60
"""Longer than the longest request, 40 seconds at a payment gateway."""
LOG_DAYS = 90


def balancer(stack: Stack, subnets: Mapping[Zone, str], group_id: str) -> Lb:
    """The load balancer in the public subnets, and the bucket of its log."""
    log = _log(stack)
    policy = cast("S3BucketPolicy", stack.node.find_child("access-logs-bucket-policy"))
    return Lb(
        stack,
        "balancer",
        name=stack.names.load_balancer,
        load_balancer_type="application",
        internal=False,
        ip_address_type="ipv4",
        subnets=list(subnets.values()),
        security_groups=[group_id],
        access_logs=LbAccessLogs(bucket=log.id, enabled=True),
        enable_deletion_protection=stack.infrastructure.critical,
        drop_invalid_header_fields=True,
        desync_mitigation_mode="defensive",  # old phones and carriers' proxies are odd, not malicious
        # Envoy takes the last address in X-Forwarded-For for the client's: that is the one appended here.
        xff_header_processing_mode="append",
        preserve_host_header=True,  # routes are chosen by it
        idle_timeout=IDLE_SECONDS,
        enable_waf_fail_open=True,  # the shop is worth more than WAF's minutes of absence
        tags=stack.named("edge"),
        depends_on=[policy],  # ELB tries to write at once
    )


def _log(stack: Stack) -> S3Bucket:
    """ELB can encrypt with nothing but S3's own key."""
    name = stack.names.access_logs_bucket
    return bucket(
        stack,
        "access-logs",
        name,
        None,
        keep=stack.infrastructure.production,
        old_versions_days=1,
        expiry_days=LOG_DAYS,
        writers=[
            statement(
                ["s3:PutObject"],
                # The path begins with the account: nobody else's load balancer can write here.
                [f"arn:aws:s3:::{name}/AWSLogs/{stack.names.account}/*"],
                sid="LoadBalancerLogs",
                principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            )
        ],
    )


def targets(stack: Stack, vpc_id: str) -> LbTargetGroup:
    """The edge's port on every node, by TLS; the certificate there is not checked by ELB, whatever it is."""
    return LbTargetGroup(
        stack,
        "targets",
        name=stack.names.target_group("https"),
        target_type="instance",
        protocol="HTTPS",
        port=stack.infrastructure.node_ports.https,
        vpc_id=vpc_id,
        # Not in turn: what is slow already gets no more.
        load_balancing_algorithm_type="least_outstanding_requests",
        deregistration_delay=str(DRAIN_SECONDS),
        health_check=LbTargetGroupHealthCheck(
            protocol="HTTPS",
            path=stack.infrastructure.health_path,
            matcher="200",
            interval=10,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=2,
        ),
        tags=stack.named("edge"),
    )


def listeners(stack: Stack, made: Lb, target_group: LbTargetGroup, certificate_arn: str) -> None:
    """HTTP is sent to HTTPS; HTTPS for our hosts to the nodes; for any other name there is nothing here."""
    LbListener(
        stack,
        "http",
        load_balancer_arn=made.arn,
        port=80,
        protocol="HTTP",
        default_action=[
            LbListenerDefaultAction(
                type="redirect",
                redirect=LbListenerDefaultActionRedirect(
                    port="443", protocol="HTTPS", status_code="HTTP_301"
                ),
            )
        ],
    )
    https = LbListener(
        stack,
        "https",
        load_balancer_arn=made.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy=TLS_POLICY,
        certificate_arn=certificate_arn,
        default_action=[
            LbListenerDefaultAction(
                type="fixed-response",
                fixed_response=LbListenerDefaultActionFixedResponse(
                    content_type="text/plain", message_body="No such host", status_code="404"
                ),
            )
        ],
    )
    LbListenerRule(
        stack,
        "hosts",
        listener_arn=https.arn,
        priority=1,
        condition=[
            LbListenerRuleCondition(
                host_header=LbListenerRuleConditionHostHeader(values=list(stack.infrastructure.hosts))
            )
        ],
        action=[LbListenerRuleAction(type="forward", target_group_arn=target_group.arn)],
    )
