"""OpenTelemetry, where SHOP_OTLP_ENDPOINT says so: a span for each request that is not a probe.

Imported only then: without it the shop starts faster and answers with less work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shop import __version__

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SHARE = 0.01
"""Of the traces that begin here; one that the edge began is continued as the edge decided."""
PROBES = ("/livez", "/readyz")


class Traced:
    """An ASGI application with a span around each request. `close` sends what is left."""

    def __init__(self, app: App, exporter: SpanExporter, environment: str, share: float = SHARE) -> None:
        self._app = app
        resource = Resource.create(
            {
                "service.name": "shop-backend",
                "service.version": __version__,
                "deployment.environment.name": environment,
            }
        )
        self._provider = TracerProvider(resource=resource, sampler=ParentBasedTraceIdRatio(share))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("shop", __version__)
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        said = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        method = scope["method"]
        with self._tracer.start_as_current_span(
            method, self._propagator.extract(said), SpanKind.SERVER, {"http.request.method": method}
        ) as span:

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, answered)
            finally:
                if route := scope.get("path_template"):
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

    def close(self) -> None:
        """Send what waits. May take seconds where nobody receives it."""
        self._provider.shutdown()


def traced(app: App, endpoint: str, environment: str) -> Traced:
    """`app` with spans that go to a collector's address, such as http://collector:4318."""
    return Traced(app, OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5), environment)
