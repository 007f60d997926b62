"""Applications that their AppProject must refuse, one for each way to leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.repository import Repository

Object = dict[str, Any]

FOREIGN = "https://github.com/somebody/else.git"
SERVER = "https://kubernetes.default.svc"
FOLDER = "manifests/refused"
"""Objects of kinds that nothing here renders, one in a namespace and one of the cluster."""

OBJECTS: dict[str, str | None] = {
    f"{FOLDER}/podtemplate.yaml": "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: refused}\n"
    "template: {spec: {containers: [{name: a, image: b}]}}\n",
    f"{FOLDER}/ingressclass.yaml": "apiVersion: networking.k8s.io/v1\nkind: IngressClass\n"
    "metadata: {name: refused}\nspec: {controller: example.com/none}\n",
}
KINDS = ("PodTemplate", "IngressClass")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An Application, and the words that Argo CD refuses it with; none where it must be allowed."""

    project: str
    what: str
    source: Object
    namespace: str
    words: tuple[str, ...] = ()
    sync: bool = False

    @property
    def name(self) -> str:
        """Of the Application."""
        return f"refused-{self.project}-{self.what}"

    def manifest(self) -> Object:
        """The Application; it is synced once, by hand as it were, where only that shows the refusal."""
        body: Object = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name},
            "spec": {
                "project": self.project,
                "source": self.source,
                "destination": {"server": SERVER, "namespace": self.namespace},
            },
        }
        return {**body, "operation": {"sync": {}}} if self.sync else body


def refusals(repository: Repository, projects: dict[str, Object]) -> Iterator[Refusal]:
    """Every project with a foreign repository, namespace and kind, and once with all its own."""
    branch, base = repository.environment.revision, f"clusters/{repository.environment.name}"
    ours = {"repoURL": repository.url, "targetRevision": branch, "path": f"{base}/{FOLDER}"}
    theirs = {**ours, "repoURL": FOREIGN}
    for name, spec in projects.items():
        allowed = [each["namespace"] for each in spec.get("destinations", [])]
        own = allowed[0] if allowed else "shop"
        repo = (f"application repo {FOREIGN} is not permitted in project '{name}'",)
        yield Refusal(name, "repository", theirs, own, repo)
        where = (f"do not match any of the allowed destinations in project '{name}'",)
        yield Refusal(name, "namespace", ours, "default", where)
        if allowed:
            kinds = tuple(f"{kind} is not permitted in project {name}" for kind in KINDS)
            yield Refusal(name, "kind", ours, own, kinds, sync=True)
            yield Refusal(name, "nothing", ours, own)
        else:
            ourselves = (f"application repo {repository.url} is not permitted in project '{name}'",)
            yield Refusal(name, "everything", ours, own, ourselves)
