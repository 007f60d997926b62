"""The database: RDS for PostgreSQL."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from generator.config.base import Duration, Model, Size, seconds
from generator.facts import DatabaseClass


class Backups(Model):
    """What is kept, and how often it is proven by restoring it."""

    retention: Duration = Field(
        description="How far back a point in time can be restored, 1d to 35d", examples=["14d"]
    )
    restore_drill: Literal["never", "monthly", "weekly"] = Field(
        description="How often a backup is restored into a scratch database and checked"
    )

    @field_validator("retention")
    @classmethod
    def _what_rds_keeps(cls, retention: str) -> str:
        if seconds(retention) % 86_400 or not 1 <= seconds(retention) // 86_400 <= 35:
            raise ValueError("RDS keeps 1 to 35 whole days of backups, like 14d")
        return retention

    @property
    def retention_days(self) -> int:
        """Whole days."""
        return seconds(self.retention) // 86_400


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
