"""Metrics in Prometheus' format: docs/service-contract.md lists them. Label values are bounded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from shop import __version__

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CLASSES = ("checkout", "cart", "browse")
OUTCOMES = ("placed", "sold_out", "replayed", "failed")


# A series beside each counter that nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Tally:
    """Requests of one method, route and status. Plain numbers of one event loop: no locks, no look-ups."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more, that took so long."""
        self.buckets[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds


class Requests:
    """Tallies as Prometheus reads them: what happens often is counted cheaply, and summed when scraped."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], Tally] = {}

    def tally(self, method: str, route: str, status: int) -> Tally:
        """The tally of a kind; keep it."""
        return self._tallies.setdefault((method, route, status), Tally())

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """For the registry."""
        total = CounterMetricFamily(
            "shop_http_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        took = HistogramMetricFamily(
            "shop_http_request_duration_seconds",
            "From a request's head to the end of its answer.",
            labels=["method", "route"],
        )
        sums: dict[tuple[str, str], tuple[list[int], float]] = {}
        for (method, route, status), tally in list(self._tallies.items()):
            total.add_metric([method, route, str(status)], sum(tally.buckets))
            buckets, seconds = sums.get((method, route), ([0] * len(tally.buckets), 0.0))
            added = [one + more for one, more in zip(buckets, tally.buckets, strict=True)]
            sums[method, route] = (added, seconds + tally.seconds)
        bounds = [*(str(bound) for bound in SECONDS), "+Inf"]
        for labels, (buckets, seconds) in sums.items():
            took.add_metric(list(labels), list(zip(bounds, accumulate(buckets), strict=True)), seconds)
        yield total
        yield took


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
        self.requests = Requests()
        registry.register(self.requests)
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
