"""What happened, from what Argo CD and the API server wrote down at the time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster import applications
from cluster.api import Api, Object
from cluster.applications import APPLICATIONS, NAMESPACE
from cluster.bed import Bed
from cluster.repository import Repository

HEALTH = re.compile(r"Updated health status: .*-> (\w+)")
AGAIN = 90.0  # seconds until all must be as before; a sync that failed is tried again after 20
MANAGER = "argocd-controller"
"""The field manager of Argo CD's server-side apply."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of Argo CD. `order` grows with every write to the cluster: it orders those of one second."""

    application: str
    order: int
    reason: str
    message: str


def events(api: Api) -> list[Event]:
    """Everything that Argo CD said of its Applications, in order; events outlive their Application."""
    found = (
        each for each in api.list("v1/events", NAMESPACE) if each["involvedObject"]["kind"] == "Application"
    )
    return sorted((_event(each) for each in found), key=lambda event: event.order)


def _event(item: Object) -> Event:
    order = int(item["metadata"]["resourceVersion"])
    return Event(item["involvedObject"]["name"], order, item["reason"], item["message"])


def too_early(story: list[Event], waves: dict[str, int]) -> list[str]:
    """Applications that began before those of an earlier wave were synced and healthy, in words."""
    begun = {event.application: event.order for event in reversed(story)}
    return [
        f"{later} (wave {wave}) began while {earlier} (wave {waves[earlier]}) was {said}"
        for later, wave in waves.items()
        for earlier in waves
        if waves[earlier] < wave
        if (said := _state(story, earlier, begun[later])) != "synced, Healthy"
    ]


def _state(story: list[Event], name: str, before: int) -> str:
    """`synced, Healthy` at best: how an Application was when `before` happened."""
    own = [event for event in story if event.application == name and event.order < before]
    synced = any(event.reason == "OperationCompleted" and "succeeded" in event.message for event in own)
    healths = [found[1] for event in own if (found := HEALTH.search(event.message))]
    return f"{'synced' if synced else 'not synced'}, {healths[-1] if healths else 'of unknown health'}"


@dataclass(slots=True)
class Watched:
    """What was seen of Applications over some time: their reconciliations, and what moved."""

    reconciled: dict[str, set[str]] = field(default_factory=dict)
    operations: dict[str, set[str]] = field(default_factory=dict)
    words: dict[str, set[str]] = field(default_factory=dict)

    def look(self, items: Iterable[Object]) -> None:
        """Take one look."""
        for item in items:
            name, status = item["metadata"]["name"], item.get("status", {})
            started = status.get("operationState", {}).get("startedAt", "")
            words = f"{status.get('sync', {}).get('status')}, {status.get('health', {}).get('status')}"
            self.reconciled.setdefault(name, set()).add(status.get("reconciledAt", ""))
            self.operations.setdefault(name, set()).add(started)
            self.words.setdefault(name, set()).add(words)

    def rounds(self) -> int:
        """How often the Application that was reconciled least was reconciled."""
        return min((len(each) - 1 for each in self.reconciled.values()), default=0)

    def unsteady(self) -> list[str]:
        """Applications that were synced again, or not Synced and Healthy at some moment."""
        again = [f"{name}: synced again, {sorted(at)}" for name, at in self.operations.items() if len(at) > 1]
        other = [
            f"{name}: {sorted(said)}" for name, said in self.words.items() if said != {"Synced, Healthy"}
        ]
        return again + other


def watch(bed: Bed, rounds: int, names: Iterable[str] = (), timeout: float = 60) -> Watched:
    """Look on until each Application (or those named) was reconciled so often."""
    seen, chosen = Watched(), set(names)

    def enough() -> bool:
        items = bed.api.list(APPLICATIONS, NAMESPACE)
        seen.look(item for item in items if not chosen or item["metadata"]["name"] in chosen)
        return seen.rounds() >= rounds

    bed.wait_until(enough, f"{rounds} reconciliations of every Application", timeout, poll=0.25)
    return seen


@contextmanager
def left_as_found(bed: Bed, repository: Repository) -> Iterator[None]:
    """Put every file back that is changed meanwhile, and wait until all is Synced and Healthy again."""
    before = _files(repository)
    try:
        yield
    finally:
        after = _files(repository)
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        if changed:
            push(repository, {name: before.get(name) for name in changed}, "as before")
        applications.wait_healthy(bed, revision=repository.head(), timeout=AGAIN)


def push(repository: Repository, files: Mapping[str, str | None], message: str) -> str:
    """Commit; the commit. Argo CD sees it within seconds.

    It is not asked to look at once: that is an annotation on every Application, and the root, which compares
    them just then, would take it for a difference.
    """
    return repository.commit(files, message)


def _files(repository: Repository) -> dict[str, str]:
    found = repository.tree.rglob("*.yaml")
    return {str(path.relative_to(repository.tree)): path.read_text() for path in found}


def item(bed: Bed, name: str) -> Object:
    """An Application."""
    return bed.api.get(APPLICATIONS, name, NAMESPACE)


def operation(bed: Bed, name: str) -> Object:
    """An Application's last operation: phase, message, retryCount, syncResult."""
    found: Object = item(bed, name).get("status", {}).get("operationState", {})
    return found


def written(found: Object) -> Object:
    """An object without what is only said of it: status, and what every write changes."""
    metadata = {
        key: value
        for key, value in found["metadata"].items()
        if key not in ("resourceVersion", "managedFields", "generation")
    }
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def applied_at(found: Object) -> str:
    """When Argo CD's apply last changed the object; "" if never."""
    entries = found["metadata"].get("managedFields", [])
    return "".join(
        each["time"] for each in entries if each["manager"] == MANAGER and each["operation"] == "Apply"
    )
