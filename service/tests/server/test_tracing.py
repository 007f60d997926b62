"""Traces: a span for each request, named by its pattern, continuing what the edge began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from shop.server.tracing import Traced, traced
from tests.server.asking import ask

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def app(scope: Any, _: Any, send: Any) -> None:
    """Answers 503 on /busy, fails on /broken."""
    if scope["path"] == "/broken":
        raise RuntimeError("broken")
    if scope["type"] == "http":
        scope["path_template"] = "/orders/{number}"
        status = 503 if scope["path"] == "/busy" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keeps what it is given."""
    return InMemorySpanExporter()


@pytest.fixture
def wrapped(exporter: InMemorySpanExporter) -> Iterator[Traced]:
    """Traces everything."""
    made = Traced(app, exporter, "test", share=1.0)
    yield made
    made.close()


async def test_a_request_is_a_span_with_its_pattern(wrapped: Traced, exporter: InMemorySpanExporter) -> None:
    await ask(wrapped, "GET", "/orders/7Q4M2ZK9TB?phone=017")
    await ask(wrapped, "GET", "/busy")
    wrapped.close()
    span, busy = exporter.get_finished_spans()
    assert span.name == "GET /orders/{number}"
    assert span.attributes
    assert span.attributes["http.response.status_code"] == 200
    assert busy.status.status_code == StatusCode.ERROR
    assert "017" not in span.to_json()
    assert span.resource.attributes["service.name"] == "shop-backend"


async def test_a_trace_of_the_edge_goes_on(exporter: InMemorySpanExporter) -> None:
    wrapped = Traced(app, exporter, "test", share=0.0)
    await ask(wrapped, "GET", "/orders/1", headers={"traceparent": PARENT})
    await ask(wrapped, "GET", "/orders/1", headers={"traceparent": "nonsense"})
    wrapped.close()
    (span,) = exporter.get_finished_spans()
    assert span.context
    assert f"{span.context.trace_id:032x}" in PARENT


async def test_probes_are_not_traced_and_failures_are(
    wrapped: Traced, exporter: InMemorySpanExporter
) -> None:
    await ask(wrapped, "GET", "/livez")
    with pytest.raises(RuntimeError):
        await ask(wrapped, "GET", "/broken")
    wrapped.close()
    assert [span.status.status_code for span in exporter.get_finished_spans()] == [StatusCode.ERROR]


def test_it_is_sent_where_the_setting_says() -> None:
    made = traced(app, "http://127.0.0.1:9/", "test")
    made.close()
