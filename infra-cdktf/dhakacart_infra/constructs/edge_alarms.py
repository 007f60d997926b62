"""Alarms that AWS itself raises about the way in: they reach people also when the whole cluster is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)

from dhakacart_infra.constructs.waf import FLOOD_RULE, WINDOW_SECONDS
from dhakacart_infra.stacks.base import Stack

BALANCER = "AWS/ApplicationELB"
ERRORS_PERCENT = 5
FEW_REQUESTS = 100
"""A minute with fewer says nothing about errors."""
SLOW_SECONDS = 2
RENEWAL_DAYS = 30
"""ACM renews 60 days before the end; with 30 left something is in its way."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What alarms watch: load balancer and target group by `arn_suffix`, an ACL by name, a certificate."""

    balancer: str
    targets: str
    acl: str
    certificate_arn: str
    topic_arn: str

    @property
    def whole(self) -> dict[str, str]:
        """Dimensions of the load balancer's metrics."""
        return {"LoadBalancer": self.balancer}

    @property
    def hosts(self) -> dict[str, str]:
        """Dimensions of metrics about targets."""
        return {"LoadBalancer": self.balancer, "TargetGroup": self.targets}


def edge_alarms(stack: Stack, watched: Watched) -> None:
    """All of them; each says in its description what it means."""
    # Requests for which there is no node to choose are not in RequestCount.
    _errors(stack, watched, "balancer", "ELB", "requests + errors", "no node answers in time")
    _errors(stack, watched, "shop", "Target", "requests", "the cluster answers so")
    _alarm(
        stack,
        watched,
        "no-healthy-node",
        "No node answers the load balancer's health check: the shop is down",
        Metric("HealthyHostCount", watched.hosts, "Maximum"),
        Limit("LessThanThreshold", 1, minutes=2, missing="breaching"),
    )
    _alarm(
        stack,
        watched,
        "unhealthy-nodes",
        "A node has failed the load balancer's health check for a quarter of an hour",
        Metric("UnHealthyHostCount", watched.hosts, "Maximum"),
        Limit("GreaterThanThreshold", 0, minutes=15),
    )
    _alarm(
        stack,
        watched,
        "slow",
        f"One request in a hundred takes more than {SLOW_SECONDS} seconds",
        Metric("TargetResponseTime", watched.hosts, "p99"),
        Limit("GreaterThanThreshold", SLOW_SECONDS, minutes=5),
    )
    _alarm(
        stack,
        watched,
        "flood",
        "An address sends so much that it is shut out: an attack, or many customers of one carrier",
        Metric(
            "BlockedRequests",
            {"WebACL": watched.acl, "Rule": FLOOD_RULE, "Region": stack.infrastructure.aws.region},
            "Sum",
            namespace="AWS/WAFV2",
            seconds=WINDOW_SECONDS,
        ),
        Limit("GreaterThanThreshold", 0, minutes=1),
    )
    _alarm(
        stack,
        watched,
        "certificate",
        f"The certificate ends in less than {RENEWAL_DAYS} days and is not renewed: is its DNS record there?",
        Metric(
            "DaysToExpiry",
            {"CertificateArn": watched.certificate_arn},
            "Minimum",
            namespace="AWS/CertificateManager",
            seconds=86_400,
        ),
        Limit("LessThanThreshold", RENEWAL_DAYS, minutes=1, missing="ignore"),
    )


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, over how long. A statistic is like Maximum, or a percentile like p99."""

    name: str
    dimensions: Mapping[str, str]
    statistic: str
    namespace: str = BALANCER
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """When it is too much: every one of `minutes` periods in a row."""

    comparison: str
    threshold: float
    minutes: int
    missing: str = "notBreaching"


def _alarm(stack: Stack, watched: Watched, name: str, description: str, metric: Metric, limit: Limit) -> None:
    percentile = metric.statistic if metric.statistic.startswith("p") else None
    CloudwatchMetricAlarm(
        stack,
        f"alarm-{name}",
        alarm_name=f"{stack.names.load_balancer}-edge-{name}",
        alarm_description=description,
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=dict(metric.dimensions),
        statistic=None if percentile else metric.statistic,
        extended_statistic=percentile,
        period=metric.seconds,
        comparison_operator=limit.comparison,
        threshold=limit.threshold,
        evaluation_periods=limit.minutes,
        treat_missing_data=limit.missing,
        alarm_actions=[watched.topic_arn],
        ok_actions=[watched.topic_arn],
    )


def _errors(stack: Stack, watched: Watched, name: str, by: str, of: str, meaning: str) -> None:
    """A share of all requests: a count would be silent at night or never silent during a sale."""
    counts = {"errors": f"HTTPCode_{by}_5XX_Count", "requests": "RequestCount"}
    whole = " + ".join(f"FILL({each}, 0)" for each in of.split(" + "))
    share = f"IF({whole} > {FEW_REQUESTS}, 100 * FILL(errors, 0) / ({whole}), 0)"
    queries = [
        CloudwatchMetricAlarmMetricQuery(
            id=id_,
            metric=CloudwatchMetricAlarmMetricQueryMetric(
                namespace=BALANCER,
                metric_name=counted,
                dimensions=watched.whole,
                stat="Sum",
                period=60,
            ),
        )
        for id_, counted in counts.items()
    ]
    queries.append(
        CloudwatchMetricAlarmMetricQuery(
            id="share", expression=share, label="per cent of requests", return_data=True
        )
    )
    CloudwatchMetricAlarm(
        stack,
        f"alarm-errors-{name}",
        alarm_name=f"{stack.names.load_balancer}-edge-errors-{name}",
        alarm_description=f"More than {ERRORS_PERCENT} % of requests end with a 5xx status: {meaning}",
        metric_query=queries,
        comparison_operator="GreaterThanThreshold",
        threshold=ERRORS_PERCENT,
        evaluation_periods=5,
        datapoints_to_alarm=3,
        treat_missing_data="notBreaching",
        alarm_actions=[watched.topic_arn],
        ok_actions=[watched.topic_arn],
    )
