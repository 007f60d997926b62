"""Alarms of the database, with thresholds from what the config and the facts say of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktf_cdktf_provider_aws.db_event_subscription import DbEventSubscription
from cdktf_cdktf_provider_aws.db_instance import DbInstance

from dhakacart_infra.stacks.base import Stack
from generator.config.database import Database
from generator.facts.rds import classes

BUSY_CPU = 80  # percent
PART_OF_CONNECTIONS = 0.8
PART_OF_MEMORY = 0.1
PART_OF_STORAGE = 0.2
FEW_CREDITS_A_VCPU = 10
"""CPU credits; one is a vCPU at full speed for a minute."""
TOLD = ("availability", "deletion", "failover", "failure", "low storage", "maintenance", "recovery")
GIB = 2**30


class Watch(NamedTuple):
    """A metric of RDS, and for how many minutes in a row it may be above or below the threshold."""

    name: str
    metric: str
    limit: Literal["above", "below"]
    threshold: float
    minutes: int
    words: str


def watches(database: Database) -> list[Watch]:
    """What is watched of this database."""
    sizes = classes()[database.db_class]
    found = [
        Watch("cpu", "CPUUtilization", "above", BUSY_CPU, 15, f"more than {BUSY_CPU} % of the CPU is busy"),
        Watch(
            "connections",
            "DatabaseConnections",
            "above",
            int(database.usable_connections * PART_OF_CONNECTIONS),
            5,
            f"of {database.usable_connections} connections to plan with, four fifths are taken",
        ),
        Watch(
            "memory",
            "FreeableMemory",
            "below",
            int(sizes.memory_gib * GIB * PART_OF_MEMORY),
            10,
            f"of {sizes.memory_gib} GiB of memory, less than a tenth is free",
        ),
        Watch(
            "storage",
            "FreeStorageSpace",
            "below",
            int(database.storage_gib * GIB * PART_OF_STORAGE),
            5,
            f"of {database.storage_gib} GiB of storage, less than a fifth is free; "
            f"it grows by itself up to {database.most_storage_gib}",
        ),
    ]
    if sizes.burstable:
        found.append(
            Watch(
                "credits",
                "CPUCreditBalance",
                "below",
                sizes.vcpu * FEW_CREDITS_A_VCPU,
                15,
                "CPU credits run out: it will be slow, or cost extra",
            )
        )
    return found


def alarms(stack: Stack, instance: DbInstance, topic_arn: str) -> None:
    """One alarm a watch, and RDS' own events, told to the topic."""
    for watch in watches(stack.infrastructure.database):
        CloudwatchMetricAlarm(
            stack,
            f"database-{watch.name}-alarm",
            alarm_name=f"{stack.names.database}-database-{watch.name}",
            alarm_description=f"{stack.names.database}: {watch.words}",
            namespace="AWS/RDS",
            metric_name=watch.metric,
            dimensions={"DBInstanceIdentifier": instance.identifier},
            statistic="Average",
            period=60,
            evaluation_periods=watch.minutes,
            datapoints_to_alarm=watch.minutes,
            comparison_operator=f"{'Greater' if watch.limit == 'above' else 'Less'}ThanThreshold",
            threshold=watch.threshold,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
        )
    DbEventSubscription(
        stack,
        "database-events",
        name=f"{stack.names.database}-database",
        sns_topic=topic_arn,
        source_type="db-instance",
        source_ids=[instance.identifier],
        event_categories=list(TOLD),
    )
