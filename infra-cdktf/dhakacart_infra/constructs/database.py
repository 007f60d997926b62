"""RDS for PostgreSQL: encrypted, TLS only, restorable to a second, without a password that anybody typed."""

from __future__ import annotations

from collections.abc import Iterable

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.db_parameter_group import DbParameterGroup, DbParameterGroupParameter
from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.secretsmanager_secret_rotation import (
    SecretsmanagerSecretRotation,
    SecretsmanagerSecretRotationRotationRules,
)
from cdktf_cdktf_provider_aws.security_group import SecurityGroup

from dhakacart_infra import tf
from dhakacart_infra.policies import assumed_by
from dhakacart_infra.stacks.base import Stack

# In UTC; Dhaka is six hours ahead, and asleep. `backups.COPY_AT` is apart from both windows: in each, and in
# the hour before it, AWS Backup's copy of a database would fail.
BACKUP_WINDOW = "18:00-18:30"
MAINTENANCE_WINDOW = "sun:20:00-sun:21:00"
CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
MONITORING_SECONDS = 60
INSIGHTS_DAYS = 7  # what is free; PostgreSQL has it in every class
ROTATION = "rate(30 days)"
PARAMETERS = {
    "rds.force_ssl": "1",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_lock_waits": "1",
    "log_min_duration_statement": "500",  # milliseconds
    "log_parameter_max_length": "0",  # names and phone numbers of customers are no business of logs
    "log_statement": "ddl",
    "log_temp_files": "10240",  # KiB: sorts that do not fit into memory
    "idle_in_transaction_session_timeout": "60000",  # milliseconds
}
LOGS = ("postgresql", "upgrade")


def security_group(stack: Stack, vpc_id: str) -> SecurityGroup:
    """Without rules: nobody connects until the cluster's stack lets its nodes in, and it itself to nobody."""
    return SecurityGroup(
        stack,
        "database-security-group",
        name=f"{stack.names.database}-database",
        description="The database: rules are made with what connects",
        vpc_id=vpc_id,
        tags=stack.named("database"),
    )


def database(stack: Stack, key_arn: str, subnets: Iterable[str], group: SecurityGroup) -> DbInstance:
    """The instance, with all that it needs."""
    said, names, critical = stack.infrastructure.database, stack.names, stack.infrastructure.critical
    subnet_group = DbSubnetGroup(
        stack, "database-subnets", name=names.database, subnet_ids=list(subnets), tags=stack.named("database")
    )
    instance = DbInstance(
        stack,
        "database",
        identifier=names.database,
        engine="postgres",
        engine_version=said.engine_version,
        auto_minor_version_upgrade=True,
        allow_major_version_upgrade=False,
        instance_class=said.db_class,
        storage_type="gp3",
        allocated_storage=said.storage_gib,
        max_allocated_storage=said.most_storage_gib,
        storage_encrypted=True,
        kms_key_id=key_arn,
        db_name=names.database_name,
        username=names.database_administrator,
        manage_master_user_password=True,
        master_user_secret_kms_key_id=key_arn,
        port=said.port,
        multi_az=said.multi_az,
        db_subnet_group_name=subnet_group.name,
        vpc_security_group_ids=[group.id],
        publicly_accessible=False,
        ca_cert_identifier=CERTIFICATE_AUTHORITY,
        parameter_group_name=_parameters(stack).name,
        backup_retention_period=said.backups.retention_days,
        backup_window=BACKUP_WINDOW,
        maintenance_window=MAINTENANCE_WINDOW,
        copy_tags_to_snapshot=True,
        skip_final_snapshot=False,
        final_snapshot_identifier=f"{names.database}-final",
        delete_automated_backups=not critical,
        deletion_protection=critical,
        apply_immediately=not critical,
        iam_database_authentication_enabled=True,  # people sign in as themselves, where granted rds_iam
        performance_insights_enabled=True,
        performance_insights_kms_key_id=key_arn,
        performance_insights_retention_period=INSIGHTS_DAYS,
        monitoring_interval=MONITORING_SECONDS,
        monitoring_role_arn=_monitoring_role(stack).arn,
        enabled_cloudwatch_logs_exports=list(LOGS),
        depends_on=_log_groups(stack, key_arn),
        lifecycle=tf.TerraformResourceLifecycle(prevent_destroy=stack.infrastructure.production),
        tags=stack.named("database"),
    )
    SecretsmanagerSecretRotation(
        stack,
        "database-administrator-rotation",
        secret_id=instance.master_user_secret.get(0).secret_arn,
        # Of RDS' own secret only the schedule is ours; unsaid it would be a week.
        rotation_rules=SecretsmanagerSecretRotationRotationRules(schedule_expression=ROTATION),
        rotate_immediately=False,
    )
    return instance


def _parameters(stack: Stack) -> DbParameterGroup:
    """Named by version: an upgrade to the next one needs both at once."""
    version = stack.infrastructure.database.engine_version
    return DbParameterGroup(
        stack,
        "database-parameters",
        name=f"{stack.names.database}-postgres{version}",
        family=f"postgres{version}",
        description="TLS only, slow statements and connections logged",
        parameter=[
            DbParameterGroupParameter(name=name, value=value, apply_method="immediate")
            for name, value in PARAMETERS.items()
        ],
        lifecycle=tf.TerraformResourceLifecycle(create_before_destroy=True),
    )


def _monitoring_role(stack: Stack) -> IamRole:
    role = IamRole(
        stack,
        "database-monitoring-role",
        name=stack.names.role("database-monitoring"),
        assume_role_policy=assumed_by("monitoring.rds.amazonaws.com", account=stack.names.account),
    )
    IamRolePolicyAttachment(
        stack,
        "database-monitoring-policy",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
    )
    return role


def _log_groups(stack: Stack, key_arn: str) -> list[CloudwatchLogGroup]:
    """Made before RDS makes them itself, for ever and unencrypted."""
    return [
        CloudwatchLogGroup(
            stack,
            f"database-log-{log}",
            name=f"/aws/rds/instance/{stack.names.database}/{log}",
            retention_in_days=365 if stack.infrastructure.production else 30,
            kms_key_id=key_arn,
        )
        for log in LOGS
    ]
