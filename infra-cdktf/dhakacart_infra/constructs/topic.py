"""Where alarms of AWS itself go: an encrypted SNS topic, and the operators' mailbox."""

from __future__ import annotations

from typing import Any

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription

from dhakacart_infra.constructs.key import USE
from dhakacart_infra.policies import document, statement
from dhakacart_infra.stacks.base import Stack

TELLERS = ("cloudwatch.amazonaws.com", "events.rds.amazonaws.com")
EVENTS = "events.amazonaws.com"


def uses_of_key(account: str) -> list[dict[str, Any]]:
    """What the key's policy must say, so that services can publish to a topic that it encrypts.

    EventBridge says on whose behalf it comes to the topic, but not to its key.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, read 2026-11-28.
    """
    return [
        statement(USE, ["*"], _of(account), sid="Alarms", principal={"Service": list(TELLERS)}),
        statement(USE, ["*"], sid="Events", principal={"Service": EVENTS}),
    ]


def topic(stack: Stack, key_arn: str) -> SnsTopic:
    """The topic. The mailbox must confirm its subscription once, by the link that it is sent."""
    name = stack.names.own("alarms")
    made = SnsTopic(stack, "alarms", name=name, kms_master_key_id=key_arn, tags=stack.named("alarms"))
    account = stack.names.account
    rules = f"arn:aws:events:{stack.infrastructure.aws.region}:{account}:rule/{stack.names.own('*')}"
    SnsTopicPolicy(
        stack,
        "alarms-policy",
        arn=made.arn,
        policy=document(
            statement(
                ["sns:Publish"],
                [made.arn],
                _of(account),
                sid="Alarms",
                principal={"Service": list(TELLERS)},
            ),
            statement(
                ["sns:Publish"],
                [made.arn],
                {"ArnLike": {"aws:SourceArn": rules}},
                sid="Events",
                principal={"Service": EVENTS},
            ),
        ),
    )
    SnsTopicSubscription(
        stack,
        "alarms-to-operators",
        topic_arn=made.arn,
        protocol="email",
        endpoint=stack.infrastructure.operators,
    )
    return made


def _of(account: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"aws:SourceAccount": account}}
