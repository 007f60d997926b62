"""The database and its copies, secrets and buckets: what no scanner looks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.config.infrastructure import Infrastructure
from generator.facts.rds import classes
from tests.conftest import Stacks

NAMES = ["dev", "staging", "prod"]


def made(stacks: Stacks, name: str, kind: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = stacks[name, "data"]["resource"].get(kind, {})
    return found


def database(stacks: Stacks, name: str) -> dict[str, Any]:
    return made(stacks, name, "aws_db_instance")["database"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_database_of_the_config(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    said, found = environments[name].database, database(stacks, name)
    assert found["instance_class"] == said.db_class
    assert found["engine_version"] == said.engine_version
    assert found["multi_az"] is said.multi_az
    assert f"{found['allocated_storage']}Gi" == said.storage
    assert found["port"] == said.port
    assert found["backup_retention_period"] == said.backups.retention_days
    assert (found["storage_encrypted"], found["storage_type"]) == (True, "gp3")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_typed_its_password_and_none_is_written_down(stacks: Stacks, name: str) -> None:
    found = database(stacks, name)
    assert found["manage_master_user_password"] is True
    for stack in (one for key, one in stacks.items() if key[0] == name):
        whole = json.dumps(stack["resource"])
        assert '"password"' not in whole
        assert "random_password" not in whole
        assert "aws_secretsmanager_secret_version" not in stack["resource"]


@pytest.mark.parametrize("name", NAMES)
def test_its_administrators_password_changes_when_we_say_and_not_at_once(stacks: Stacks, name: str) -> None:
    (rotation,) = made(stacks, name, "aws_secretsmanager_secret_rotation").values()
    whose = rotation["secret_id"]
    assert whose == "${aws_db_instance.database.master_user_secret[0].secret_arn}"
    assert rotation["rotation_rules"] == {"schedule_expression": "rate(30 days)"}
    assert rotation["rotate_immediately"] is False


@pytest.mark.parametrize("name", NAMES)
def test_nobody_reaches_it_unless_another_stack_lets_them(stacks: Stacks, name: str) -> None:
    (group,) = made(stacks, name, "aws_security_group").values()
    assert not {"ingress", "egress"} & group.keys()
    assert not any(kind.startswith("aws_vpc_security_group") for kind in stacks[name, "data"]["resource"])
    assert database(stacks, name)["publicly_accessible"] is False
    assert database(stacks, name)["vpc_security_group_ids"] == [
        "${aws_security_group.database-security-group.id}"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_its_subnets_are_those_without_a_way_out(stacks: Stacks, name: str) -> None:
    (group,) = made(stacks, name, "aws_db_subnet_group").values()
    assert len(group["subnet_ids"]) >= 2  # RDS asks for two zones
    assert all("cross-stack-output-aws_subnetdata-" in subnet for subnet in group["subnet_ids"])


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_tls_only_and_logs_what_is_slow_but_not_who_bought(stacks: Stacks, name: str) -> None:
    (group,) = made(stacks, name, "aws_db_parameter_group").values()
    parameters = {one["name"]: one["value"] for one in group["parameter"]}
    assert parameters["rds.force_ssl"] == "1"
    assert int(parameters["log_min_duration_statement"]) > 0
    assert parameters["log_connections"] == "1"
    assert parameters["log_parameter_max_length"] == "0"
    assert group["family"] == f"postgres{database(stacks, name)['engine_version']}"
    assert group["lifecycle"] == {"create_before_destroy": True}


@pytest.mark.parametrize("name", NAMES)
def test_its_logs_end_and_are_encrypted(stacks: Stacks, name: str) -> None:
    groups = made(stacks, name, "aws_cloudwatch_log_group").values()
    exported = database(stacks, name)["enabled_cloudwatch_logs_exports"]
    prefix = f"/aws/rds/instance/{database(stacks, name)['identifier']}/"
    assert {one["name"] for one in groups} == {prefix + log for log in exported}
    assert all(one["retention_in_days"] and one["kms_key_id"] for one in groups)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_destroys_it_leaves_a_snapshot(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    found, environment = database(stacks, name), environments[name]
    assert found["skip_final_snapshot"] is False
    assert found["final_snapshot_identifier"]
    assert found["copy_tags_to_snapshot"] is True
    assert found["deletion_protection"] is environment.critical
    assert found["delete_automated_backups"] is not environment.critical


def test_nothing_that_production_keeps_can_be_destroyed(stacks: Stacks) -> None:
    kinds = ("aws_db_instance", "aws_kms_key", "aws_backup_vault", "aws_secretsmanager_secret")
    kept = [one for kind in kinds for one in made(stacks, "prod", kind).values()]
    kept.append(made(stacks, "prod", "aws_s3_bucket")["backup-bucket"])
    assert all(one["lifecycle"] == {"prevent_destroy": True} for one in kept)


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


@pytest.mark.parametrize("name", NAMES)
def test_backup_maintenance_and_copy_are_apart(stacks: Stacks, name: str) -> None:
    found = database(stacks, name)
    backup = [minutes(clock) for clock in found["backup_window"].split("-")]
    upkeep = [minutes(clock.split(":", 1)[1]) for clock in found["maintenance_window"].split("-")]
    assert backup[1] <= upkeep[0] or upkeep[1] <= backup[0]
    (plan,) = made(stacks, name, "aws_backup_plan").values()
    (rule,) = plan["rule"]
    minute, hour = rule["schedule"].removeprefix("cron(").split()[:2]
    begins = [int(hour) * 60 + int(minute), int(hour) * 60 + int(minute) + rule["start_window"]]
    for start, end in (backup, upkeep):  # of AWS Backup's jobs none may begin in the hour before either
        assert begins[1] < start - 60 or begins[0] > end
        assert begins[1] < 24 * 60


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_a_day_of_this_database_is_kept_and_locked_as_promised(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    promised = environments[name].database.backups
    (plan,) = made(stacks, name, "aws_backup_plan").values()
    (rule,) = plan["rule"]
    assert rule["lifecycle"]["delete_after"] == promised.copy_days >= promised.lock_days
    assert rule["enable_continuous_backup"] is False  # points in time are RDS' own
    (selection,) = made(stacks, name, "aws_backup_selection").values()
    assert selection["resources"] == ["${aws_db_instance.database.arn}"]
    assert "selection_tag" not in selection
    (lock,) = made(stacks, name, "aws_backup_vault_lock_configuration").values()
    assert lock["min_retention_days"] == promised.lock_days
    assert ("changeable_for_days" in lock) is environments[name].production


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_that_fails_is_told(stacks: Stacks, name: str) -> None:
    (rule,) = made(stacks, name, "aws_cloudwatch_event_rule").values()
    pattern = json.loads(rule["event_pattern"])
    assert set(pattern["detail"]["state"]) == {"ABORTED", "EXPIRED", "FAILED"}
    vault = made(stacks, name, "aws_backup_vault")["backup-vault"]["name"]
    assert pattern["detail"]["backupVaultName"] == [vault]


@pytest.mark.parametrize("name", NAMES)
def test_copies_in_the_bucket_are_locked_and_then_end(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    promised = environments[name].database.backups
    assert made(stacks, name, "aws_s3_bucket")["backup-bucket"]["object_lock_enabled"] is True
    (lock,) = made(stacks, name, "aws_s3_bucket_object_lock_configuration").values()
    retention = lock["rule"]["default_retention"]
    assert retention["days"] == promised.lock_days
    assert retention["mode"] == ("COMPLIANCE" if environments[name].production else "GOVERNANCE")
    rules = made(stacks, name, "aws_s3_bucket_lifecycle_configuration")["backup-bucket-lifecycle"]["rule"]
    ends = [one["expiration"][0]["days"] for one in rules if "expiration" in one]
    assert ends == [promised.expiry_days]
    assert ends[0] >= promised.lock_days


@pytest.mark.parametrize("name", NAMES)
def test_logs_end_after_the_last_line_that_loki_keeps(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    assert made(stacks, name, "aws_s3_bucket")["logs-bucket"]["object_lock_enabled"] is False
    rules = made(stacks, name, "aws_s3_bucket_lifecycle_configuration")["logs-bucket-lifecycle"]["rule"]
    ends = [one["expiration"][0]["days"] for one in rules if "expiration" in one]
    assert ends == [environments[name].logs_expiry_days]
    assert ends[0] > environments[name].logs_retention_days


@pytest.mark.parametrize("name", NAMES)
def test_every_bucket_is_private_encrypted_versioned_and_tls_only(stacks: Stacks, name: str) -> None:
    buckets = {f"${{aws_s3_bucket.{id_}.id}}" for id_ in made(stacks, name, "aws_s3_bucket")}
    kinds = (
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
    )
    for kind in kinds:
        assert {one["bucket"] for one in made(stacks, name, kind).values()} == buckets, kind
    for one in made(stacks, name, "aws_s3_bucket_policy").values():
        statements = json.loads(one["policy"])["Statement"]
        assert {each["Effect"] for each in statements} == {"Deny"}
        assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in statements]


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_has_its_secrets_without_values(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    secrets = made(stacks, name, "aws_secretsmanager_secret").values()
    names = environments[name].names
    assert {one["name"] for one in secrets} == {names.secret(each) for each in environments[name].secrets}
    assert all(one["kms_key_id"] == "${aws_kms_key.data-key.arn}" for one in secrets)
    assert all(one["recovery_window_in_days"] >= 7 for one in secrets)


@pytest.mark.parametrize("name", NAMES)
def test_alarms_follow_from_the_class_and_the_config(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    said = environments[name].database
    sizes = classes()[said.db_class]
    alarms = {one["metric_name"]: one for one in made(stacks, name, "aws_cloudwatch_metric_alarm").values()}
    assert alarms["DatabaseConnections"]["threshold"] == said.usable_connections * 8 // 10
    assert alarms["FreeableMemory"]["threshold"] < sizes.memory_gib * 2**30
    assert alarms["FreeStorageSpace"]["threshold"] == said.storage_gib * 2**30 // 5
    assert ("CPUCreditBalance" in alarms) is said.db_class.startswith("db.t")
    for one in alarms.values():
        assert one["dimensions"] == {"DBInstanceIdentifier": "${aws_db_instance.database.identifier}"}
        assert one["alarm_actions"] == ["${aws_sns_topic.alarms.arn}"]
        free = one["metric_name"] in ("FreeableMemory", "FreeStorageSpace", "CPUCreditBalance")
        assert one["comparison_operator"] == f"{'Less' if free else 'Greater'}ThanThreshold"


@pytest.mark.parametrize("name", NAMES)
def test_alarms_reach_somebody_by_an_encrypted_topic_that_they_may_use(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    (topic,) = made(stacks, name, "aws_sns_topic").values()
    assert topic["kms_master_key_id"] == "${aws_kms_key.data-key.arn}"
    (mailbox,) = made(stacks, name, "aws_sns_topic_subscription").values()
    assert mailbox["endpoint"] == environments[name].operators
    tellers = {"cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "events.amazonaws.com"}
    (policy,) = made(stacks, name, "aws_sns_topic_policy").values()
    (key,) = made(stacks, name, "aws_kms_key").values()
    for document, action in ((policy["policy"], "sns:Publish"), (key["policy"], "kms:Decrypt")):
        may: set[str] = set()
        for one in json.loads(document)["Statement"]:
            service = one["Principal"].get("Service", [])
            if action in one["Action"]:
                may |= {service} if isinstance(service, str) else set(service)
        assert tellers <= may


@pytest.mark.parametrize("name", NAMES)
def test_keys_turn_every_year(stacks: Stacks, name: str) -> None:
    keys = made(stacks, name, "aws_kms_key").values()
    assert all(one["enable_key_rotation"] is True for one in keys)
