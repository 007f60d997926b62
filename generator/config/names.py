"""Names that manifests and infrastructure must agree on: each is made here, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

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


class Limited(NamedTuple):
    """A name that AWS bounds: what it is of, and how few and many characters it may have."""

    of: str
    name: str
    fewest: int
    most: int


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
    def load_balancer(self) -> str:
        """Application Load Balancer."""
        return f"{PROJECT}-{self.environment}"

    def target_group(self, protocol: str) -> str:
        """Target group of the edge's node port for `protocol`, http or https."""
        return f"{PROJECT}-{self.environment}-{protocol}"

    @property
    def api(self) -> str:
        """Network Load Balancer before the API servers of K3s, and its target group."""
        return f"{PROJECT}-{self.environment}-api"

    @property
    def logs_bucket(self) -> str:
        """S3 bucket of Loki's chunks."""
        return self._bucket("loki")

    @property
    def backup_bucket(self) -> str:
        """S3 bucket of database copies."""
        return self._bucket("backup")

    @property
    def etcd_bucket(self) -> str:
        """S3 bucket of etcd's snapshots, on K3s."""
        return self._bucket("etcd")

    @property
    def access_logs_bucket(self) -> str:
        """S3 bucket of the load balancer's access logs."""
        return self._bucket("access-logs")

    @property
    def state_bucket(self) -> str:
        """S3 bucket of Terraform's state."""
        return self._bucket("tfstate")

    @property
    def state_key(self) -> str:
        """Alias of the KMS key of Terraform's state."""
        return f"alias/{PROJECT}-{self.environment}-state"

    @property
    def data_key(self) -> str:
        """Alias of the KMS key of everything that customers or secrets are in."""
        return f"alias/{PROJECT}-{self.environment}-data"

    @property
    def cluster_key(self) -> str:
        """Alias of the KMS key of what the cluster itself keeps: Secrets, snapshots, tokens."""
        return f"alias/{PROJECT}-{self.environment}-cluster"

    @property
    def boundary(self) -> str:
        """IAM policy that no role made by a deployment can exceed."""
        return f"{PROJECT}-{self.environment}-boundary"

    @property
    def boundary_arn(self) -> str:
        """ARN of `boundary`."""
        return f"arn:aws:iam::{self.account}:policy/{self.boundary}"

    @property
    def backup_vault(self) -> str:
        """AWS Backup vault of the database's daily copies."""
        return f"{PROJECT}-{self.environment}"

    @property
    def registry(self) -> str:
        """Where the shop's images are published; nothing else may run in its namespace."""
        return REGISTRY

    @property
    def database_name(self) -> str:
        """PostgreSQL database of the shop."""
        return "shop"

    @property
    def database_administrator(self) -> str:
        """RDS' master user: for people who make roles; its password is RDS' own secret."""
        return PROJECT

    def secret(self, name: str) -> str:
        """Path in AWS Secrets Manager; KeyError for a name that `SECRETS` does not have."""
        SECRETS[name]
        return f"{PROJECT}/{self.environment}/{name}"

    @property
    def secrets_pattern(self) -> str:
        """All of the environment's secrets, as a policy's resource writes it behind `secret:`."""
        return f"{PROJECT}/{self.environment}/*"

    def node_secret(self, name: str) -> str:
        """Path in AWS Secrets Manager of what nodes read when they boot; `secrets_pattern` leaves it out."""
        return f"{PROJECT}-nodes/{self.environment}/{name}"

    @property
    def node_secrets_pattern(self) -> str:
        """All that nodes read when they boot, as a policy's resource writes it behind `secret:`."""
        return self.node_secret("*")

    def own(self, name: str) -> str:
        """Whatever else is this environment's alone; `own("*")` is the pattern of all such names."""
        return f"{PROJECT}-{self.environment}-{name}"

    def role(self, workload: str) -> str:
        """IAM role of a workload, at most 64 characters."""
        return f"{PROJECT}-{self.environment}-{workload}"

    def limited(self, roles: Iterable[str] = ()) -> tuple[Limited, ...]:
        """Every name that AWS bounds, those of the IAM roles of `roles` too. Source: each service's API.

        RDS CreateDBInstance, EKS CreateCluster, ELBv2 CreateLoadBalancer and CreateTargetGroup, S3 bucket
        naming rules, AWS Backup CreateBackupVault, IAM CreateRole; read 2026-11-23.
        """
        groups = (self.target_group("http"), self.target_group("https"), self.api)
        buckets = (
            self.logs_bucket,
            self.backup_bucket,
            self.state_bucket,
            self.etcd_bucket,
            self.access_logs_bucket,
        )
        return (
            Limited("the RDS instance", self.database, 1, 63),
            Limited("the cluster", self.cluster, 1, 100),
            Limited("the load balancer", self.load_balancer, 1, 32),
            *(Limited("a target group", name, 1, 32) for name in groups),
            *(Limited("an S3 bucket", name, 3, 63) for name in buckets),
            Limited("the backup vault", self.backup_vault, 2, 50),
            *(Limited("an IAM role", self.role(workload), 1, 64) for workload in roles),
        )

    def _bucket(self, purpose: str) -> str:
        return f"{PROJECT}-{self.environment}-{purpose}-{self.account}"
