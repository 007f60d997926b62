"""What Argo CD says of the Applications of a test bed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cluster.api import Api, Object
from cluster.bed import Bed

APPLICATIONS = "argoproj.io/v1alpha1/applications"
NAMESPACE = "argocd"
WAVE = "argocd.argoproj.io/sync-wave"
REFRESH = "argocd.argoproj.io/refresh"
SYNCED_TIMEOUT = 180.0  # seconds; 30 are usual


@dataclass(frozen=True, slots=True)
class Application:
    """One Application. `phase` is its last operation's, `message` says why it is not as it should be."""

    name: str
    wave: int
    sync: str
    health: str
    phase: str
    message: str
    revision: str

    @property
    def good(self) -> bool:
        """Synced, Healthy, and nothing under way."""
        return self.sync == "Synced" and self.health == "Healthy" and self.phase in ("", "Succeeded")


def all_of(api: Api) -> dict[str, Application]:
    """Every Application by name, in the order of waves, the root last."""
    found = [application(item) for item in api.list(APPLICATIONS, NAMESPACE)]
    return {one.name: one for one in sorted(found, key=lambda one: (one.name == "root", one.wave, one.name))}


def application(item: Object) -> Application:
    """What an Application object says."""
    status = item.get("status", {})
    operation = status.get("operationState", {})
    revisions = status.get("sync", {})
    return Application(
        name=item["metadata"]["name"],
        wave=int(item["metadata"].get("annotations", {}).get(WAVE, "0")),
        sync=revisions.get("status", "Unknown"),
        health=status.get("health", {}).get("status", "Unknown"),
        phase=operation.get("phase", ""),
        message=_message(status),
        revision=revisions.get("revision") or " ".join(revisions.get("revisions", [])),
    )


def refresh(api: Api, *names: str, hard: bool = False) -> None:
    """Have Argo CD look at Git now: at all Applications, or those named. `hard` forgets its cache, too."""
    for name in names or all_of(api):
        annotations = {REFRESH: "hard" if hard else "normal"}
        api.patch(APPLICATIONS, name, {"metadata": {"annotations": annotations}}, NAMESPACE)


def wait_healthy(
    bed: Bed,
    names: Iterable[str] = (),
    *,
    revision: str = "",
    timeout: float = SYNCED_TIMEOUT,
    on_look: Callable[[dict[str, Application]], None] | None = None,
) -> dict[str, Application]:
    """Wait until all Applications (or those named) are Synced and Healthy, at `revision` if one is given.

    Without names the root must be among them: it is good only once all others are there.
    AssertionError that says which are not, and why.
    """
    wanted = set(names)

    def look() -> dict[str, Application]:
        found = all_of(bed.api)
        if on_look:
            on_look(found)
        return found

    def ready() -> bool:
        found = look()
        chosen = [one for name, one in found.items() if not wanted or name in wanted]
        complete = wanted <= set(found) if wanted else "root" in found
        return complete and all(one.good and revision in one.revision for one in chosen)

    bed.wait_until(ready, lambda: complain(all_of(bed.api)), timeout, poll=0.3)
    return all_of(bed.api)


def is_refreshed(api: Api) -> bool:
    """Whether Argo CD has looked at every Application since `refresh`."""
    found = api.list(APPLICATIONS, NAMESPACE)
    return not any(REFRESH in item["metadata"].get("annotations", {}) for item in found)


def complain(found: dict[str, Application]) -> str:
    """The Applications that are not as they should be, a line each."""
    bad = [one for one in found.values() if not one.good]
    lines = [f"  {one.name} (wave {one.wave}): {one.sync}, {one.health}. {one.message}" for one in bad]
    return "all Applications Synced and Healthy\n" + "\n".join(lines or ["  there are none"])


def warnings(api: Api, most: int = 10) -> list[str]:
    """The latest Warning events of the cluster, a line each: why something may not get on."""
    found = [each for each in api.list("v1/events") if each.get("type") == "Warning"]
    found.sort(key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))
    objects = ((each["involvedObject"], each) for each in found)
    lines = [
        f"  {about['kind']} {about.get('namespace', '')}/{about['name']}: {each['reason']}: {each['message']}"
        for about, each in objects
    ]
    return list(dict.fromkeys(lines))[-most:]


def resources(item: Object) -> dict[str, str]:
    """`Kind/name` → `sync, health` of each object that an Application object manages."""
    return {
        f"{each['kind']}/{each['name']}": ", ".join(
            filter(None, (each.get("status"), each.get("health", {}).get("status")))
        )
        for each in item.get("status", {}).get("resources", [])
    }


def moment(text: str) -> datetime:
    """A time as Kubernetes writes it."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _message(status: Object) -> str:
    operation = status.get("operationState", {})
    parts = [each["message"] for each in status.get("conditions", []) if "Error" in each["type"]]
    if operation.get("phase") not in ("Succeeded", None):
        parts.append(operation.get("message", ""))
    health = status.get("health", {})
    if health.get("status") != "Healthy":
        parts.append(health.get("message", ""))
        parts.extend(
            f"{each['kind']}/{each['name']}: {each['health'].get('message') or each['health']['status']}"
            for each in status.get("resources", [])
            if each.get("health", {}).get("status") not in (None, "Healthy")
        )
    return "; ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
