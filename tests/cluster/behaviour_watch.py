"""Every change of one kind of object, in order: what a sample now and then would miss."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from apiserver.process import ProcessError

from cluster.api import Object
from cluster.bed import Bed

PODS = "v1/pods"
DEPLOYMENTS = "apps/v1/deployments"

BARRIER = "bed/barrier"
BEGUN = 2  # the barrier at which the list that a watch begins with has been heard to its end
PATIENCE = 20.0  # seconds until the watch has seen what was written

POD = {"containers": [{"name": "none", "image": "docker.io/bed/none:1"}]}
_MARKERS: Mapping[str, Object] = {
    PODS: {**POD, "schedulerName": "nobody"},
    DEPLOYMENTS: {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "marker"}},
        "template": {"metadata": {"labels": {"app": "marker"}}, "spec": POD},
    },
}
_names = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is when it was heard of, in seconds of the monotonic clock."""

    at: float
    kind: str
    body: Object


class Watch:
    """Records from `with` to its end; both are moments of which every earlier change was seen.

    Such a moment is made by changing a marker, an object of the same kind, and waiting until that is heard:
    the API server tells changes in the order in which they happened.
    """

    def __init__(self, bed: Bed, resource: str) -> None:
        self._bed = bed
        self._resource = resource
        self._marker = f"marker-{next(_names)}"
        self._barriers = itertools.count(1)
        self._seen = 0
        self._last = 0
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
        self.events: list[Event] = []

    def __enter__(self) -> Self:
        body = {"metadata": {"name": self._marker}, "spec": _MARKERS[self._resource]}
        self._bed.api.create(self._resource, body, "default")
        self._thread.start()
        self._barrier()
        self._barrier()  # the first may have been part of the list that the watch begins with
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(AssertionError, ProcessError) if error else nullcontext():
            self._barrier(last=True)  # also after an error: it ends the thread
        self._bed.api.delete(self._resource, self._marker, "default")

    def histories(self, namespace: str) -> Iterator[tuple[Event, dict[str, Object]]]:
        """Each event of a namespace since the start, with the state right after it: name → object."""
        state: dict[str, Object] = {}
        begun = False
        for event in self.events:
            metadata = event.body["metadata"]
            begun = begun or (metadata["name"] == self._marker and _number(event.body) >= BEGUN)
            if metadata["namespace"] == namespace:
                if event.kind == "DELETED":
                    state.pop(metadata["name"], None)
                else:
                    state[metadata["name"]] = event.body
                if begun:
                    yield event, state

    def _barrier(self, *, last: bool = False) -> None:
        number = next(self._barriers)
        if last:
            self._last = number
        annotations = {BARRIER: str(number)}
        change = {"metadata": {"annotations": annotations}}
        self._bed.api.patch(self._resource, self._marker, change, "default")
        self._bed.wait_until(
            lambda: self._seen >= number or not self._thread.is_alive(),
            f"the watch of {self._resource} hears of a change",
            timeout=PATIENCE,
            poll=0.02,
        )
        if self._seen < number:
            raise AssertionError(f"the watch of {self._resource} ended early") from self._failure

    def _listen(self) -> None:
        try:
            for event in self._bed.api.watch(self._resource):
                self.events.append(Event(time.monotonic(), event["type"], event["object"]))
                if event["object"]["metadata"]["name"] == self._marker:
                    self._seen = max(self._seen, _number(event["object"]))
                if self._last and self._seen >= self._last:
                    return
        except Exception as error:
            self._failure = error
        finally:
            self._bed.api.close()


def _number(marker: Object) -> int:
    return int(marker["metadata"].get("annotations", {}).get(BARRIER, 0))


def matches(pod: Object, labels: Mapping[str, str]) -> bool:
    """Whether a pod has all of these labels."""
    have: Mapping[str, str] = pod["metadata"].get("labels", {})
    return labels.items() <= have.items()


def serves(pod: Object) -> bool:
    """Whether a Service would send it requests: ready, and not asked to end."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def fewest_serving(
    pods: Watch, namespace: str, labels: Mapping[str, str], counts_as: Callable[[Object], bool] = serves
) -> int:
    """The fewest pods of a workload that served at any moment; -1 if nothing was heard of it."""
    counts = (
        sum(matches(pod, labels) and counts_as(pod) for pod in state.values())
        for _, state in pods.histories(namespace)
    )
    return min(counts, default=-1)
