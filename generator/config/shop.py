"""The shop: its images, sizes, and the sale that it must survive."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from generator.config.base import (
    ContradictionError,
    Cpu,
    Digest,
    Model,
    Size,
    Tag,
    byte_count,
    millicores,
)

Payment = Literal["cod", "bkash", "nagad", "sslcommerz"]

SURGE_PERCENT = 25  # of the replicas, started beyond them while a release rolls out


class Image(Model):
    """What runs: the tag says it to people, the digest decides."""

    tag: Tag = Field(description='Release, quoted: "1.4.2"; never latest')
    digest: Digest = Field(description="sha256:… of the image's index, as the publishing workflow prints it")


class Replicas(Model):
    """Bounds of the HorizontalPodAutoscaler, which alone owns the number."""

    min: int = Field(ge=1, le=200, description="Pods at rest", examples=[3])
    max: int = Field(ge=1, le=200, description="Pods at full load", examples=[10])

    @model_validator(mode="after")
    def _ordered(self) -> Replicas:
        if self.min > self.max:
            raise ContradictionError(
                f"`min` is {self.min} and `max` is {self.max}",
                "the minimum cannot be more than the maximum",
                "min",
                "max",
            )
        return self


class Resources(Model):
    """What one pod requests; for memory also the limit. CPU is not capped: throttling costs latency."""

    cpu: Cpu = Field(description="CPU request of a pod, like 500m or 1")
    memory: Size = Field(description="Memory request and limit of a pod, like 512Mi")

    @property
    def kubernetes(self) -> dict[str, dict[str, str]]:
        """A container's `resources`."""
        return {"requests": {"cpu": self.cpu, "memory": self.memory}, "limits": {"memory": self.memory}}


def quota(*pods: tuple[int, tuple[Resources, ...]]) -> dict[str, str]:
    """A ResourceQuota's `hard` that holds these (number of pods, resources of each container)."""
    cpu = sum(count * millicores(one.cpu) for count, containers in pods for one in containers)
    memory = sum(count * byte_count(one.memory) for count, containers in pods for one in containers)
    # As the API server writes them: else what is in the cluster would differ from what is in Git.
    cores = f"{cpu}m" if cpu % 1000 else str(cpu // 1000)
    mebibytes = math.ceil(memory / 2**20)
    size = f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes // 1024}Gi"
    return {
        "pods": str(sum(count for count, _ in pods)),
        "requests.cpu": cores,
        "requests.memory": size,
        "limits.memory": size,
    }


class Autoscaling(Model):
    """Average use, in percent of the request, above which pods are added."""

    cpu: int = Field(default=60, ge=10, le=95, description="Percent of requested CPU")
    memory: int = Field(default=80, ge=10, le=95, description="Percent of requested memory")


class Workload(Model):
    """What the storefront and the API have in common."""

    image: Image = Field(description="What runs")
    replicas: Replicas = Field(description="How many pods")
    resources: Resources = Field(description="What one pod is given")
    autoscaling: Autoscaling = Field(default_factory=Autoscaling, description="When pods are added")

    @property
    def surge_percent(self) -> int:
        """Pods beyond the replicas while a release rolls out, in percent of them."""
        return SURGE_PERCENT

    @property
    def surge(self) -> int:
        """The same in pods, at full load; rounded up, as Kubernetes does."""
        return math.ceil(self.replicas.max * SURGE_PERCENT / 100)

    @property
    def most_pods(self) -> int:
        """Pods at once at most: a rollout makes every replica anew, and each old one may still end.

        An old pod has up to 45 seconds to end, while a batch of new ones is ready in ten: by the time the
        last is there, the first to be replaced may not be gone. What ends is counted by the quota.
        """
        return 2 * self.replicas.max


class Backend(Workload):
    """The HTTP API: one worker a pod."""

    pool_size: int = Field(default=4, ge=1, le=50, description="Database connections in a pod's pool")

    @property
    def connections(self) -> int:
        """Database connections of one pod: the pool, the order writer and the listener."""
        return self.pool_size + 2


class Frontend(Workload):
    """nginx with the storefront."""


MIGRATION = Resources(cpu="100m", memory="256Mi")


class Sale(Model):
    """The promise: what the busiest hour brings. The checks hold replicas and limits to it."""

    concurrent_users: int = Field(
        ge=1, le=10_000_000, description="Shoppers at the same time", examples=[100000]
    )
    seconds_between_actions: float = Field(
        default=5.5, gt=0, le=600, description="Mean think time of a shopper"
    )
    order_share: float = Field(default=0.05, ge=0, le=1, description="Share of actions that are orders")

    @property
    def actions_per_second(self) -> float:
        """Requests per second of all shoppers together."""
        return self.concurrent_users / self.seconds_between_actions

    @property
    def orders_per_second(self) -> float:
        """Orders per second of all shoppers together."""
        return self.actions_per_second * self.order_share


class Shop(Model):
    """Everything that the customer sees."""

    backend: Backend = Field(description="The HTTP API")
    frontend: Frontend = Field(description="nginx with the storefront")
    payments: Annotated[tuple[Payment, ...], Field(strict=False, min_length=1)] = Field(
        default=("cod",),
        description="Ways to pay, in the order shown",
        json_schema_extra={"uniqueItems": True},
    )
    sale: Sale = Field(description="The load that must be survived")

    @field_validator("payments")
    @classmethod
    def _distinct(cls, payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
        if len(set(payments)) != len(payments):
            raise ValueError("a way to pay is named once")
        return payments

    @property
    def online_payments(self) -> tuple[Payment, ...]:
        """Providers that are called over the internet and need credentials."""
        return tuple(payment for payment in self.payments if payment != "cod")

    @property
    def migration(self) -> Resources:
        """What the Job that migrates the database is given."""
        return MIGRATION

    @property
    def quota(self) -> dict[str, str]:
        """The namespace's quota: both workloads at full load during a rollout, and the migration."""
        workloads = [(work.most_pods, (work.resources,)) for work in (self.backend, self.frontend)]
        return quota(*workloads, (1, (self.migration,)))
