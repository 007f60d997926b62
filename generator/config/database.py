"""The database: RDS for PostgreSQL."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from generator.config.base import Duration, Model, Size, byte_count, seconds
from generator.facts import DatabaseClass
from generator.facts.rds import classes

MIGRATION_CONNECTIONS = 2  # the Job's own, and that of an earlier one that waits for its lock
EXPORTER_CONNECTIONS = 2  # postgres-exporter: one for its collectors, one for its other queries
RESERVED_CONNECTIONS = 3  # `psql` of who is on call; what only superusers may take is beside the plan


MOST_DAYS = 3650
SMALLEST, LARGEST = 20, 32_768
"""GiB of gp3 storage for PostgreSQL; RDS itself ends at twice that.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html, read 2026-11-28.
"""


class Client(NamedTuple):
    """Who connects to the database: the entry of `SECRETS` it signs in with, pods at most, and of each."""

    name: str
    secret: str
    pods: int
    each: int

    @property
    def connections(self) -> int:
        """Of all its pods together."""
        return self.pods * self.each


class Backups(Model):
    """What is kept, and how often it is proven by restoring it."""

    retention: Duration = Field(
        description="How far back a point in time can be restored, 1d to 35d", examples=["14d"]
    )
    restore_drill: Literal["never", "monthly", "weekly"] = Field(
        description="How often a backup is restored into a scratch database and checked"
    )

    copies: Duration = Field(
        description="How long the daily copies outside of the database are kept, like 35d", examples=["35d"]
    )
    lock: Duration = Field(
        description="How long nobody, not even an administrator, can delete a copy", examples=["14d"]
    )

    @field_validator("copies", "lock")
    @classmethod
    def _whole_days(cls, duration: str) -> str:
        if seconds(duration) % 86_400 or seconds(duration) // 86_400 > MOST_DAYS:
            raise ValueError(f"S3 counts whole days, like 35d, up to {MOST_DAYS}d here")
        return duration

    @field_validator("retention")
    @classmethod
    def _what_rds_keeps(cls, retention: str) -> str:
        if seconds(retention) % 86_400 or not 1 <= seconds(retention) // 86_400 <= 35:
            raise ValueError("RDS keeps 1 to 35 whole days of backups, like 14d")
        return retention

    @property
    def retention_days(self) -> int:
        """Whole days that a point in time can be restored from: RDS' own backups."""
        return seconds(self.retention) // 86_400

    @property
    def lock_days(self) -> int:
        """Whole days of S3 Object Lock on each copy."""
        return seconds(self.lock) // 86_400

    @property
    def copy_days(self) -> int:
        """Whole days that a copy is promised to be there."""
        return seconds(self.copies) // 86_400

    @property
    def expiry_days(self) -> int:
        """Age in days at which the bucket's lifecycle deletes a copy: a day after the promise ends."""
        return self.copy_days + 1


class Database(Model):
    """One PostgreSQL instance, Multi-AZ where a zone's loss must not be felt."""

    db_class: DatabaseClass = Field(
        alias="class", description="RDS instance class, like db.m7g.large", examples=["db.m7g.large"]
    )
    engine_version: Literal["16", "17"] = Field(default="17", description="PostgreSQL major version, quoted")
    storage: Size = Field(description="gp3 storage, like 100Gi", examples=["100Gi"])
    multi_az: bool = Field(description="A standby in another zone, failed over to in under a minute or two")
    port: int = Field(default=5432, ge=1024, le=65_535, description="TCP port")
    backups: Backups = Field(description="What is kept, and how it is proven")

    @field_validator("storage")
    @classmethod
    def _what_rds_has(cls, storage: str) -> str:
        if byte_count(storage) % 2**30 or not SMALLEST <= byte_count(storage) // 2**30 <= LARGEST:
            raise ValueError(f"gp3 storage of RDS is {SMALLEST}Gi to {LARGEST}Gi here, so that it may double")
        return storage

    @property
    def storage_gib(self) -> int:
        """Storage to begin with, in GiB."""
        return byte_count(self.storage) // 2**30

    @property
    def most_storage_gib(self) -> int:
        """What RDS may grow the storage to by itself: twice, so that a full disk is never why sales stop."""
        return 2 * self.storage_gib

    @property
    def usable_connections(self) -> int:
        """Connections to plan with, see the facts about classes."""
        return classes()[self.db_class].usable_connections
