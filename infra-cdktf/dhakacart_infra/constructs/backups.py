"""AWS Backup: a copy of the database every day, in a vault from which nobody deletes it before its time."""

from __future__ import annotations

import json

from cdktf_cdktf_provider_aws.backup_plan import BackupPlan, BackupPlanRule, BackupPlanRuleLifecycle
from cdktf_cdktf_provider_aws.backup_selection import BackupSelection
from cdktf_cdktf_provider_aws.backup_vault import BackupVault
from cdktf_cdktf_provider_aws.backup_vault_lock_configuration import BackupVaultLockConfiguration
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from dhakacart_infra import tf
from dhakacart_infra.policies import assumed_by
from dhakacart_infra.stacks.base import Stack

COPY_AT = "cron(30 22 * * ? *)"  # UTC: after the database's own windows
START_WITHIN_MINUTES = 60
DONE_WITHIN_MINUTES = 240
DAYS_TO_RECONSIDER = 3  # the fewest that AWS takes
LOST = ("ABORTED", "EXPIRED", "FAILED")


def backups(stack: Stack, instance: DbInstance, key_arn: str, topic_arn: str) -> BackupVault:
    """The vault and its lock, the daily plan for this instance alone, and word of every copy that failed.

    A point in time is restored from RDS' own backups. These copies are for when the instance is gone, and its
    backups with it.
    """
    vault = BackupVault(
        stack,
        "backup-vault",
        name=stack.names.backup_vault,
        kms_key_arn=key_arn,
        lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=stack.infrastructure.production),
        tags=stack.named("backup"),
    )
    _lock(stack, vault)
    plan = BackupPlan(
        stack,
        "backup-plan",
        name=stack.names.backup_vault,
        rule=[
            BackupPlanRule(
                rule_name="daily",
                target_vault_name=vault.name,
                schedule=COPY_AT,
                start_window=START_WITHIN_MINUTES,
                completion_window=DONE_WITHIN_MINUTES,
                enable_continuous_backup=False,  # it would take RDS' own backups over
                lifecycle=BackupPlanRuleLifecycle(
                    delete_after=stack.infrastructure.database.backups.copy_days
                ),
                recovery_point_tags=stack.tags,
            )
        ],
    )
    BackupSelection(
        stack,
        "backup-of-database",
        name="database",
        plan_id=plan.id,
        iam_role_arn=_role(stack).arn,
        resources=[instance.arn],
    )
    _tell(stack, topic_arn)
    return vault


def _lock(stack: Stack, vault: BackupVault) -> None:
    """No copy is deleted, or set to end, earlier than `lock` says.

    In production the lock itself is final after some days: a shorter `lock` is refused from then on.
    """
    BackupVaultLockConfiguration(
        stack,
        "backup-vault-lock",
        backup_vault_name=vault.name,
        min_retention_days=stack.infrastructure.database.backups.lock_days,
        changeable_for_days=DAYS_TO_RECONSIDER if stack.infrastructure.production else None,
    )


def _role(stack: Stack) -> IamRole:
    role = IamRole(
        stack,
        "backup-role",
        name=stack.names.role("backup"),
        assume_role_policy=assumed_by("backup.amazonaws.com"),
    )
    IamRolePolicyAttachment(
        stack,
        "backup-role-policy",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    )
    return role


def _tell(stack: Stack, topic_arn: str) -> None:
    """A copy that fails makes no noise of its own."""
    rule = CloudwatchEventRule(
        stack,
        "backup-lost",
        name=stack.names.own("backup-lost"),
        description="A copy of the database was not made",
        event_pattern=json.dumps(
            {
                "source": ["aws.backup"],
                "detail-type": ["Backup Job State Change"],
                "detail": {"backupVaultName": [stack.names.backup_vault], "state": list(LOST)},
            },
            sort_keys=True,
        ),
    )
    CloudwatchEventTarget(stack, "backup-lost-to-operators", rule=rule.name, arn=topic_arn)
