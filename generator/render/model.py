"""What rendering yields: Kubernetes objects as plain dicts, each with its app and template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from generator.config.environment import Environment
from generator.config.load import LoadedEnvironment
from generator.render.app import App

Body = dict[str, Any]


class Identity(NamedTuple):
    """What the API server tells objects apart by; the version is not part of it."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if "." in self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Obj:
    """One Kubernetes object. `source` is the file to edit, relative to the repository."""

    app: str
    source: str
    body: Body
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        metadata = self.body["metadata"]
        api_version: str = self.body["apiVersion"]
        group = api_version.rpartition("/")[0]
        identity = Identity(group, self.body["kind"], metadata.get("namespace", ""), metadata["name"])
        object.__setattr__(self, "identity", identity)

    @property
    def kind(self) -> str:
        """`kind`, like Deployment."""
        return self.identity.kind

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return self.identity.name

    @property
    def namespace(self) -> str:
        """`metadata.namespace`, empty for what belongs to the cluster."""
        return self.identity.namespace


@dataclass(frozen=True, slots=True)
class Rendered:
    """One environment, rendered: its apps in the order of their dependencies, their objects and chart values.

    `values` maps an app to the Helm values of its chart. `argocd` holds the objects of `generator/argocd`,
    empty until that has run.
    """

    config: LoadedEnvironment
    apps: tuple[App, ...]
    objects: tuple[Obj, ...]
    values: Mapping[str, Body]
    argocd: tuple[Obj, ...] = ()

    @property
    def environment(self) -> Environment:
        """The typed config."""
        return self.config.environment

    @property
    def everything(self) -> tuple[Obj, ...]:
        """The apps' objects and Argo CD's own."""
        return self.objects + self.argocd
