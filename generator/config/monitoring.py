"""Metrics, logs and who is told."""

from __future__ import annotations

from pydantic import Field

from generator.config.base import Channel, Duration, Model, Size


class Logs(Model):
    """Loki, with its chunks in S3."""

    retention: Duration = Field(description="How long log lines are kept, like 30d")


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
