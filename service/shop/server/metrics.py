"""Metrics in Prometheus' format: docs/service-contract.md lists them. Label values are bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from shop import __version__

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CLASSES = ("checkout", "cart", "browse")
OUTCOMES = ("placed", "sold_out", "replayed", "failed")


class Counting(Protocol):
    """A child of a counter."""

    def inc(self) -> None:
        """One more."""


class Metrics:
    """All of the shop's, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Gauge("shop_build_info", "The running version.", ["version"], registry=registry).labels(
            __version__
        ).set(1)
        self._requests = Counter(
            "shop_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._durations = Histogram(
            "shop_http_request_duration_seconds",
            "From a request's head to the end of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._shed = Counter(
            "shop_http_requests_shed", "Requests refused for lack of room.", ["class"], registry=registry
        )
        self._orders = Counter("shop_orders", "Orders by outcome.", ["outcome"], registry=registry)
        self._batches = Histogram(
            "shop_order_batch_size", "Orders in a commit.", buckets=SIZES, registry=registry
        )
        self._commits = Histogram(
            "shop_order_commit_duration_seconds",
            "A commit of orders, decision and all.",
            buckets=SECONDS,
            registry=registry,
        )
        self._payments = Counter(
            "shop_payments", "Payments by outcome.", ["provider", "outcome"], registry=registry
        )
        for name in CLASSES:
            self._shed.labels(name)
        for name in OUTCOMES:
            self._orders.labels(name)

    def gauge(self, name: str, text: str, value: Callable[[], float], **labels: str) -> None:
        """A gauge that is read when it is scraped."""
        made = self._gauges.get(name)
        if made is None:
            made = self._gauges[name] = Gauge(name, text, list(labels), registry=self.registry)
        (made.labels(**labels) if labels else made).set_function(value)

    def request(self, method: str, route: str, status: int) -> tuple[Counting, Histogram]:
        """The children for requests of a kind; keep them, looking them up is what costs."""
        return self._requests.labels(method, route, status), self._durations.labels(method, route)

    def shed(self, name: str) -> None:
        """A request of a class was refused."""
        self._shed.labels(name).inc()

    def order(self, outcome: str) -> None:
        """`placed`, `sold_out`, `replayed` or `failed`."""
        self._orders.labels(outcome).inc()

    def batch(self, size: int, seconds: float) -> None:
        """A commit of so many orders took so long."""
        self._batches.observe(size)
        self._commits.observe(seconds)

    def payment(self, provider: str, outcome: str) -> None:
        """A payment came to an outcome."""
        self._payments.labels(provider, outcome).inc()
