"""Helm charts that apps may name: where they come from, which version is pinned, what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from generator.facts.source import FactFile, Row, Source, read_facts

OCI = "oci://"


@dataclass(frozen=True, slots=True)
class Chart:
    """A pinned chart. `version` is spelt as in its repository, `app_version` (the program's) without a v.

    `component` is the program's name in the facts about components.
    """

    name: str
    repository: str
    version: str
    app_version: str
    component: str
    note: str
    sources: tuple[Source, ...]

    @property
    def oci(self) -> bool:
        """Whether the repository is an OCI registry."""
        return self.repository.startswith(OCI)

    @property
    def argo_repository(self) -> str:
        """`repoURL` beside `chart` in an Argo CD Application, which wants OCI registries without oci://.

        Source: Argo CD, user guide, Helm.
        """
        return self.repository.removeprefix(OCI)


def chart(name: str) -> Chart:
    """One chart; KeyError for a name that the facts do not have."""
    return charts()[name]


@cache
def charts() -> dict[str, Chart]:
    """Every known chart, by name."""
    return data().indexed("name", _chart)


@cache
def data() -> FactFile:
    """The file of facts."""
    return read_facts("charts")


def _chart(row: Row) -> Chart:
    return Chart(**{**row, "sources": data().sources_of(row)})
