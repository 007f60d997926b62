"""One environment: everything that people decide about it."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from generator.config.aws import Aws
from generator.config.base import EnvironmentName, Host, Model, Repository, Revision
from generator.config.cluster import Cluster
from generator.config.database import (
    EXPORTER_CONNECTIONS,
    MIGRATION_CONNECTIONS,
    RESERVED_CONNECTIONS,
    Client,
    Database,
)
from generator.config.edge import Edge
from generator.config.monitoring import Monitoring
from generator.config.names import SECRETS, Names
from generator.config.shop import Shop
from generator.config.workloads import Workload, workloads_on

PAYMENTS = "shop-payments"  # of `SECRETS`, with a key for each provider
Tier = Literal["development", "staging", "production"]


GITHUB = re.compile(r"^(?:https://|ssh://git@)github\.com/([^/]+)/([^/]+)\.git$")


class GitHubIds(Model):
    """What GitHub itself calls this repository, whatever its name becomes."""

    owner: int = Field(ge=1, description="`gh api repos/OWNER/NAME --jq .owner.id`")
    repository: int = Field(ge=1, description="`gh api repos/OWNER/NAME --jq .id`")


class GitOps(Model):
    """The repository that Argo CD reads."""

    repository: Repository = Field(description="Clone address of this repository, ending in .git")
    revision: Revision = Field(description="Branch or tag to follow; HEAD is not a name")
    github_ids: GitHubIds | None = Field(
        default=None,
        description="Only where GitHub's tokens name numbers too: created or renamed since 2026-07-15",
    )

    @property
    def token_subject(self) -> str:
        """How the subject of a token of this repository's workflows begins; empty where it is not on GitHub.

        https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        """
        found = GITHUB.match(self.repository)
        if not found:
            return ""
        owner, name = found.groups()
        if self.github_ids is None:
            return f"repo:{owner}/{name}"
        return f"repo:{owner}@{self.github_ids.owner}/{name}@{self.github_ids.repository}"


class Environment(Model):
    """`environments/<name>.yaml`, whole."""

    api_version: Literal["dhakacart/v1"] = Field(description="Version of this file's format")
    name: EnvironmentName = Field(description="Same as the file's name")
    tier: Tier = Field(description="Chooses the defaults and how strict the checks are")
    gitops: GitOps = Field(description="What Argo CD reads")
    domain: Host = Field(description="The shop's host name")
    aws: Aws = Field(description="Account and network")
    cluster: Cluster = Field(description="EKS or K3s, by `kind`")
    database: Database = Field(description="RDS for PostgreSQL")
    shop: Shop = Field(description="What the customer sees")
    edge: Edge = Field(description="Where traffic enters")
    monitoring: Monitoring = Field(description="Metrics, logs and alerts")

    @property
    def names(self) -> Names:
        """Names shared by manifests and infrastructure."""
        return Names(self.name, self.aws.account)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that the shop answers for: DNS records, both certificates and routes follow from it."""
        return (self.domain,)

    @property
    def secrets(self) -> dict[str, tuple[str, ...]]:
        """The entries of `SECRETS` that this environment has, with keys only for providers in use."""
        used = {**SECRETS, PAYMENTS: self.shop.online_payments}
        return {name: keys for name, keys in used.items() if keys}

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """The ServiceAccounts that have an IAM role here."""
        return workloads_on(self.cluster.kind)

    @property
    def database_clients(self) -> tuple[Client, ...]:
        """Everything that connects to the database, at full load while a release rolls out."""
        backend = self.shop.backend
        return (
            Client(
                "shop-backend", "shop-database", backend.replicas.max + backend.surge, backend.connections
            ),
            Client("migration", "shop-migrate-database", 1, MIGRATION_CONNECTIONS),
            Client("exporter", "exporter-database", 1, EXPORTER_CONNECTIONS),
        )

    @property
    def database_connections(self) -> int:
        """Most connections at once, with those that are kept for people."""
        return sum(client.connections for client in self.database_clients) + RESERVED_CONNECTIONS

    @property
    def critical(self) -> bool:
        """Whether customers or a release depend on it: staging is held to production's rules."""
        return self.tier != "development"
