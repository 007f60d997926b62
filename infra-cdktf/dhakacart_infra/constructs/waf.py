"""AWS WAF before the load balancer: known attacks, addresses of ill repute and floods end here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAcl,
    Wafv2WebAclCustomResponseBody,
    Wafv2WebAclDefaultAction,
    Wafv2WebAclDefaultActionAllow,
    Wafv2WebAclRule,
    Wafv2WebAclRuleAction,
    Wafv2WebAclRuleActionBlock,
    Wafv2WebAclRuleActionBlockCustomResponse,
    Wafv2WebAclRuleActionBlockCustomResponseResponseHeader,
    Wafv2WebAclRuleOverrideAction,
    Wafv2WebAclRuleOverrideActionNone,
    Wafv2WebAclRuleVisibilityConfig,
    Wafv2WebAclVisibilityConfig,
)
from cdktf_cdktf_provider_aws.wafv2_web_acl_association import Wafv2WebAclAssociation
from cdktf_cdktf_provider_aws.wafv2_web_acl_logging_configuration import (
    Wafv2WebAclLoggingConfiguration,
    Wafv2WebAclLoggingConfigurationLoggingFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition,
    Wafv2WebAclLoggingConfigurationRedactedFields,
    Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader,
)

from dhakacart_infra.policies import document, statement
from dhakacart_infra.stacks.base import Stack

FLOOD_RULE = "flood"
WINDOW_SECONDS = 300
MANAGED: Mapping[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": (
        # Blocks bodies of more than 8 KiB; the edge has its own limit, and long descriptions are no attack.
        "SizeRestrictions_BODY",
        # Payment gateways call back with addresses of pages in their answers.
        "GenericRFI_BODY",
        "GenericRFI_QUERYARGUMENTS",
    ),
    "AWSManagedRulesSQLiRuleSet": (),
}
"""Groups of AWS in order → their rules that only count. Anonymous addresses are not refused: shoppers have
VPNs, and payment gateways call from data centres. With the flood's rule they take 1127 of 1500 units."""


def waf(stack: Stack, balancer_arn: str, *, flood: int, log_days: int) -> Wafv2WebAcl:
    """The ACL on the load balancer, and its log. `flood` is requests of one address in five minutes."""
    made = Wafv2WebAcl(
        stack,
        "waf",
        name=stack.names.load_balancer,
        scope="REGIONAL",
        default_action=Wafv2WebAclDefaultAction(allow=Wafv2WebAclDefaultActionAllow()),
        custom_response_body=[
            Wafv2WebAclCustomResponseBody(
                key="slower", content_type="TEXT_PLAIN", content="Too many requests from your address."
            )
        ],
        rule=[_flood(flood), *(_managed(n, name) for n, name in enumerate(MANAGED, start=1))],
        visibility_config=Wafv2WebAclVisibilityConfig(
            metric_name="waf", cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
        ),
        tags=stack.named("waf"),
    )
    Wafv2WebAclAssociation(stack, "waf-association", resource_arn=balancer_arn, web_acl_arn=made.arn)
    _log(stack, made, log_days)
    return made


def _visible(name: str) -> Wafv2WebAclRuleVisibilityConfig:
    return Wafv2WebAclRuleVisibilityConfig(
        metric_name=name, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
    )


def _flood(limit: int) -> Wafv2WebAclRule:
    slower = Wafv2WebAclRuleActionBlockCustomResponse(
        response_code=429,
        custom_response_body_key="slower",
        response_header=[
            Wafv2WebAclRuleActionBlockCustomResponseResponseHeader(name="Retry-After", value="60")
        ],
    )
    rate = {"limit": limit, "evaluation_window_sec": WINDOW_SECONDS, "aggregate_key_type": "IP"}
    return Wafv2WebAclRule(
        name=FLOOD_RULE,
        priority=0,
        action=Wafv2WebAclRuleAction(block=Wafv2WebAclRuleActionBlock(custom_response=slower)),
        statement={"rate_based_statement": rate},
        visibility_config=_visible(FLOOD_RULE),
    )


def _managed(priority: int, name: str) -> Wafv2WebAclRule:
    """`statement` has no struct class: it may contain itself. Terraform checks what is in it."""
    group: dict[str, Any] = {"vendor_name": "AWS", "name": name}
    if MANAGED[name]:
        group["rule_action_override"] = [
            {"name": rule, "action_to_use": {"count": {}}} for rule in MANAGED[name]
        ]
    return Wafv2WebAclRule(
        name=name,
        priority=priority,
        override_action=Wafv2WebAclRuleOverrideAction(none=Wafv2WebAclRuleOverrideActionNone()),
        statement={"managed_rule_group_statement": group},
        visibility_config=_visible(name),
    )


def _log(stack: Stack, acl: Wafv2WebAcl, days: int) -> None:
    """What was blocked or would have been, without what lets one sign in as somebody."""
    group = CloudwatchLogGroup(
        stack,
        "waf-log",
        name=f"aws-waf-logs-{stack.names.load_balancer}",  # WAF writes to no other names
        retention_in_days=days,
    )
    account = stack.infrastructure.aws.account
    delivery = CloudwatchLogResourcePolicy(
        stack,
        "waf-log-delivery",
        policy_name=f"{stack.names.load_balancer}-waf",
        policy_document=document(
            statement(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                [f"{group.arn}:*"],
                {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:aws:logs:{stack.infrastructure.aws.region}:{account}:*"
                    },
                },
                principal={"Service": "delivery.logs.amazonaws.com"},
            )
        ),
    )
    logged = [
        Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition(
            action_condition=Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition(
                action=action
            )
        )
        for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
    ]
    Wafv2WebAclLoggingConfiguration(
        stack,
        "waf-logging",
        resource_arn=acl.arn,
        log_destination_configs=[group.arn],
        redacted_fields=[
            Wafv2WebAclLoggingConfigurationRedactedFields(
                single_header=Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(name=name)
            )
            for name in ("authorization", "cookie")
        ],
        logging_filter=Wafv2WebAclLoggingConfigurationLoggingFilter(
            default_behavior="DROP",
            filter=[
                Wafv2WebAclLoggingConfigurationLoggingFilterFilter(
                    behavior="KEEP", requirement="MEETS_ANY", condition=logged
                )
            ],
        ),
        depends_on=[delivery],
    )
