"""Names that manifests and infrastructure must agree on: each is made here, once."""

from __future__ import annotations

from dataclasses import dataclass

PROJECT = "dhakacart"
REGISTRY = "ghcr.io/dhakacart"
SECRETS = {
    "shop-database": ("host", "username", "password"),
    "shop-migrate-database": ("host", "username", "password"),
    "shop-app": ("ticket-key", "session-key"),
    "shop-payments": ("bkash", "nagad", "sslcommerz"),
    "exporter-database": ("host", "username", "password"),
    "grafana-admin": ("username", "password"),
    "slack": ("bot-token", "alertmanager-webhook"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one environment's cloud resources. `account` is the AWS account's 12 digits."""

    environment: str
    account: str

    @property
    def cluster(self) -> str:
        """EKS or K3s cluster."""
        return f"{PROJECT}-{self.environment}"

    @property
    def database(self) -> str:
        """RDS instance identifier."""
        return f"{PROJECT}-{self.environment}"

    @property
    def logs_bucket(self) -> str:
        """S3 bucket of Loki's chunks."""
        return self._bucket("loki")

    @property
    def backup_bucket(self) -> str:
        """S3 bucket of database copies."""
        return self._bucket("backup")

    @property
    def registry(self) -> str:
        """Where the shop's images are published; nothing else may run in its namespace."""
        return REGISTRY

    @property
    def database_name(self) -> str:
        """PostgreSQL database of the shop."""
        return "shop"

    def secret(self, name: str) -> str:
        """Path in AWS Secrets Manager; KeyError for a name that `SECRETS` does not have."""
        SECRETS[name]
        return f"{PROJECT}/{self.environment}/{name}"

    def role(self, workload: str) -> str:
        """IAM role of a workload, at most 64 characters."""
        return f"{PROJECT}-{self.environment}-{workload}"

    def _bucket(self, purpose: str) -> str:
        return f"{PROJECT}-{self.environment}-{purpose}-{self.account}"
