"""The shop: its images, sizes, and the sale that it must survive."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from generator.config.base import Cpu, Digest, Model, Size, Tag

Payment = Literal["cod", "bkash", "nagad", "sslcommerz"]


class Image(Model):
    """What runs: the tag says it to people, the digest decides."""

    tag: Tag = Field(description='Release, quoted: "1.4.2"; never latest')
    digest: Digest = Field(description="sha256:… of the image's index, as the publishing workflow prints it")


class Replicas(Model):
    """Bounds of the HorizontalPodAutoscaler, which alone owns the number."""

    min: int = Field(ge=1, le=200, description="Pods at rest")
    max: int = Field(ge=1, le=200, description="Pods at full load")

    @model_validator(mode="after")
    def _ordered(self) -> Replicas:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max is {self.max}: min must not be greater than max")
        return self


class Resources(Model):
    """What one pod is given: requested, and for memory also the limit. CPU is not capped: throttling costs latency."""

    cpu: Cpu = Field(description="CPU request of a pod, like 500m or 1")
    memory: Size = Field(description="Memory request and limit of a pod, like 512Mi")

    @property
    def kubernetes(self) -> dict[str, dict[str, str]]:
        """A container's `resources`."""
        return {"requests": {"cpu": self.cpu, "memory": self.memory}, "limits": {"memory": self.memory}}


class Autoscaling(Model):
    """Average use, in percent of the request, above which pods are added."""

    cpu: int = Field(default=60, ge=10, le=95, description="Percent of requested CPU")
    memory: int = Field(default=80, ge=10, le=95, description="Percent of requested memory")


class Workload(Model):
    """What the storefront and the API have in common."""

    image: Image
    replicas: Replicas
    resources: Resources
    autoscaling: Autoscaling = Autoscaling()


class Backend(Workload):
    """The HTTP API: one worker a pod."""

    pool_size: int = Field(default=4, ge=1, le=50, description="Database connections in a pod's pool")

    @property
    def connections(self) -> int:
        """Database connections of one pod: the pool, the order writer and the listener (docs: service contract)."""
        return self.pool_size + 2


class Frontend(Workload):
    """nginx with the storefront."""


class Sale(Model):
    """The promise: what the busiest hour brings. The checks hold replicas and limits to it."""

    concurrent_users: int = Field(ge=1, le=10_000_000, description="Shoppers at the same time")
    seconds_between_actions: float = Field(
        default=5.5, gt=0, le=600, strict=False, description="Mean think time of a shopper"
    )
    order_share: float = Field(
        default=0.05, ge=0, le=1, strict=False, description="Share of actions that are orders"
    )

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

    backend: Backend
    frontend: Frontend
    payments: Annotated[tuple[Payment, ...], Field(strict=False, min_length=1)] = Field(
        default=("cod",), description="Ways to pay, in the order shown"
    )
    sale: Sale

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
