"""An app: one folder of `apps/`, its `app.yaml`, and what that may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from generator.config.base import Model
from generator.config.document import Document
from generator.config.environment import Environment

Project = Literal["platform", "monitoring", "shop"]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Exemption(Model):
    """A rule that does not hold for an object of this app, and why that is right."""

    rule: str = Field(pattern=r"^DC-[A-Z0-9]+-\d{3}$", description="The rule's code")
    object: str = Field(min_length=1, description="Kind/name, or Kind/* for all of a kind")
    reason: str = Field(min_length=15, description="Why, for the next reader")


class Sync(Model):
    """How Argo CD treats this app, where it differs from all others."""

    self_heal: bool = Field(default=True, description="Whether manual edits in the cluster are put back")
    prune: bool = Field(default=True, description="Whether objects that left Git are deleted")


class AppSpec(Model):
    """`app.yaml`."""

    description: str = Field(min_length=10, description="What it is for, one line")
    owner: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="Team that answers for it")
    project: Project = Field(description="The AppProject that bounds it")
    namespace: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="Namespace of its objects")
    depends_on: Names = Field(default=(), description="Apps that must be healthy before this one is synced")
    clusters: Annotated[tuple[Literal["eks", "k3s"], ...], Field(strict=False, min_length=1)] = Field(
        default=("eks", "k3s"), description="Kinds of cluster that have it"
    )
    chart: str | None = Field(default=None, description="Helm chart, by its name in the chart facts")
    sync: Sync = Sync()
    exemptions: Annotated[tuple[Exemption, ...], Field(strict=False)] = ()


class App(AppSpec):
    """An app with its name and folder; `document` keeps the lines of `app.yaml` for error messages."""

    name: str
    folder: Path
    document: Document

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def takes_part_in(self, environment: Environment) -> bool:
        """Whether this environment has the app."""
        return environment.cluster.kind in self.clusters
