"""What must survive everything else: the database and its copies, secrets, buckets, and their key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from dhakacart_infra import tf
from dhakacart_infra.constructs.backups import backups
from dhakacart_infra.constructs.bucket import Lock, bucket
from dhakacart_infra.constructs.database import database, security_group
from dhakacart_infra.constructs.database_alarms import alarms
from dhakacart_infra.constructs.key import USE, key
from dhakacart_infra.constructs.topic import topic, uses_of_key
from dhakacart_infra.policies import statement
from dhakacart_infra.stacks.base import Stack
from dhakacart_infra.stacks.network import NetworkOutputs
from generator.config.infrastructure import Infrastructure
from generator.config.names import SECRETS

OLD_VERSIONS_DAYS = 1
COMPLIANCE_MOST_DAYS = 35
"""Longer than this, what was stored by mistake would be paid for too long: the lock leaves a way out then."""


@dataclass(frozen=True, slots=True)
class DataOutputs:
    """What other stacks build on. Nothing in it is secret.

    `secrets_arn` is a pattern: every secret of the environment, and no other.
    """

    key_arn: str
    database_security_group_id: str
    database_address: str
    database_port: int
    secrets_arn: str
    logs_bucket_arn: str
    backup_bucket_arn: str
    alarm_topic_arn: str


class Data(Stack):
    """The database without a way in, secrets without values, buckets with an end; all by one key."""

    def __init__(self, scope: tf.Construct, infrastructure: Infrastructure, network: NetworkOutputs) -> None:
        super().__init__(scope, infrastructure, "data")
        names, production = self.names, infrastructure.production
        self._key = key(
            self,
            "data",
            names.data_key,
            "Database, secrets, logs and copies of this environment",
            *uses_of_key(names.account),
            self._log_groups(),
            keep=production,
        )
        told = topic(self, self._key.arn)
        group = security_group(self, network.vpc_id)
        instance = database(self, self._key.arn, network.data_subnets.values(), group)
        alarms(self, instance, told.arn)
        backups(self, instance, self._key.arn, told.arn)
        for name in infrastructure.secrets:
            self._secret(name)
        logs = bucket(
            self,
            "logs",
            names.logs_bucket,
            self._key.arn,
            keep=False,
            old_versions_days=OLD_VERSIONS_DAYS,
            expiry_days=infrastructure.logs_expiry_days,
        )
        kept = infrastructure.database.backups
        copies = bucket(
            self,
            "backup",
            names.backup_bucket,
            self._key.arn,
            keep=production,
            old_versions_days=OLD_VERSIONS_DAYS,
            expiry_days=kept.expiry_days,
            lock=self._lock(kept.lock_days),
        )
        tf.TerraformOutput(self, "database_address", value=instance.address, static_id=True)
        self.outputs = DataOutputs(
            key_arn=self._key.arn,
            database_security_group_id=group.id,
            database_address=instance.address,
            database_port=infrastructure.database.port,
            secrets_arn=(
                f"arn:aws:secretsmanager:{infrastructure.aws.region}:{names.account}"
                f":secret:{names.secrets_pattern}"
            ),
            logs_bucket_arn=logs.arn,
            backup_bucket_arn=copies.arn,
            alarm_topic_arn=told.arn,
        )

    def _log_groups(self) -> dict[str, Any]:
        """CloudWatch Logs may use the key for groups of this account."""
        region, account = self.infrastructure.aws.region, self.names.account
        return statement(
            [*USE, "kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*"],
            ["*"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:*"}},
            sid="Logs",
            principal={"Service": f"logs.{region}.amazonaws.com"},
        )

    def _secret(self, name: str) -> None:
        """An entry without a value: people put it, so that it is in no state and no plan."""
        SecretsmanagerSecret(
            self,
            f"secret-{name}",
            name=self.names.secret(name),
            description=f"JSON with {', '.join(SECRETS[name])}",
            kms_key_id=self._key.arn,
            recovery_window_in_days=30 if self.infrastructure.critical else 7,
            lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=self.infrastructure.production),
        )

    def _lock(self, days: int) -> Lock:
        strict = self.infrastructure.production and days <= COMPLIANCE_MOST_DAYS
        return Lock("COMPLIANCE" if strict else "GOVERNANCE", days)
