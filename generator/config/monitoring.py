"""Metrics, logs and who is told."""

from __future__ import annotations

import math

from pydantic import Field

from generator.config.base import Channel, Duration, Model, Size, seconds

EXPIRY_MARGIN_DAYS = 7


class Logs(Model):
    """Loki, with its chunks in S3."""

    retention: Duration = Field(description="How long log lines are kept, like 30d")

    @property
    def expiry_days(self) -> int:
        """Age in days at which the bucket's lifecycle deletes what Loki's compactor has left behind.

        Later than `retention`: a chunk that still holds a line to be kept must not go.
        """
        return math.ceil(seconds(self.retention) / 86_400) + EXPIRY_MARGIN_DAYS


class Slack(Model):
    """The channel that alerts and deployments are told to."""

    channel: Channel = Field(description='Channel name, quoted because of the #: "#ops"')


class Alerts(Model):
    """Where alerts go."""

    slack: Slack = Field(description="The channel that is told")


class Monitoring(Model):
    """Prometheus, Grafana, Loki, Alertmanager."""

    retention: Duration = Field(description="How long metrics are kept, like 30d")
    storage: Size = Field(default="50Gi", description="Disk of each Prometheus", examples=["50Gi"])
    logs: Logs = Field(description="What happens to log lines")
    alerts: Alerts = Field(description="Who is told")
