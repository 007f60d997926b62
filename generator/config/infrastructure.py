"""What the cloud side of an environment depends on, and nothing else: an edit of the rest never plans it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pydantic import TypeAdapter

from generator.config.aws import Aws
from generator.config.base import seconds
from generator.config.cluster import Cluster
from generator.config.database import Database
from generator.config.edge import NodePorts
from generator.config.environment import Environment, Tier
from generator.config.names import Names


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """The part of an `Environment` that infrastructure is made from: all that stacks can read.

    `secrets` are names of `SECRETS`, `token_subject` is that of `GitOps`, `operators` an e-mail address.
    """

    name: str
    tier: Tier
    domain: str
    hosts: tuple[str, ...]
    repository: str
    aws: Aws
    cluster: Cluster
    database: Database
    node_ports: NodePorts
    health_path: str
    flood: int
    logs_retention_days: int
    logs_expiry_days: int
    secrets: tuple[str, ...]
    token_subject: str
    operators: str

    @property
    def names(self) -> Names:
        """Names shared with the manifests."""
        return Names(self.name, self.aws.account)

    @property
    def critical(self) -> bool:
        """Whether customers or a release depend on it: staging is held to production's rules."""
        return self.tier != "development"

    @property
    def production(self) -> bool:
        """Whether customers depend on it: nothing that holds their data can be destroyed."""
        return self.tier == "production"

    def digest(self) -> str:
        """A SHA-256 that changes with anything that a stack could read."""
        whole = TypeAdapter(Infrastructure).dump_python(self, mode="json")
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def infrastructure(environment: Environment) -> Infrastructure:
    """The cloud side of an environment."""
    return Infrastructure(
        name=environment.name,
        tier=environment.tier,
        domain=environment.domain,
        hosts=environment.hosts,
        repository=environment.gitops.repository,
        aws=environment.aws,
        cluster=environment.cluster,
        database=environment.database,
        node_ports=environment.edge.node_ports,
        health_path=environment.edge.health_path,
        flood=environment.edge.rate_limit.flood,
        logs_retention_days=seconds(environment.monitoring.logs.retention) // 86_400,
        logs_expiry_days=environment.monitoring.logs.expiry_days,
        secrets=tuple(sorted(environment.secrets)),
        token_subject=environment.gitops.token_subject,
        operators=environment.edge.certificates.email,
    )
