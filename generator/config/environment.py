"""One environment: everything that people decide about it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from generator.config.aws import Aws
from generator.config.base import EnvironmentName, Host, Model, Repository, Revision
from generator.config.cluster import Cluster
from generator.config.database import Database
from generator.config.edge import Edge
from generator.config.monitoring import Monitoring
from generator.config.names import Names
from generator.config.shop import Shop

Tier = Literal["development", "staging", "production"]


class GitOps(Model):
    """The repository that Argo CD reads."""

    repository: Repository = Field(description="Clone address of this repository, ending in .git")
    revision: Revision = Field(description="Branch or tag to follow; HEAD is not a name")


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
    def critical(self) -> bool:
        """Whether customers or a release depend on it: staging is held to production's rules."""
        return self.tier != "development"
