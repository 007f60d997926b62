"""Runs the shop: one process, one event loop. SIGTERM ends it without dropping anything."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from typing import TYPE_CHECKING

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from prometheus_client import start_http_server

from shop.server.app import create_app
from shop.server.front import Front
from shop.server.logs import configure
from shop.settings import Settings, SettingsError, check_serving

if TYPE_CHECKING:
    from shop.server.tracing import Traced

BACKLOG = 4096
CONNECTIONS = 4096
"""How many may be open; more wait."""
HEAD_MILLISECONDS = 80_000
"""From one answer to the end of the next request's head: granian has one clock for slow senders and for idle
connections, and the edge, which keeps the slow ones away, reuses a connection for up to 75 seconds."""
NOTICED = 1.0
"""Seconds between saying «not ready» and taking no more connections."""

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. SettingsError where a port is taken or a credential is wrong."""
    check_serving(settings)
    configure(settings.log_level)
    for port in {settings.port, settings.metrics_port} - {0}:
        _check_free(settings.host, port)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    front = create_app(settings)
    metrics, thread = None, None
    if settings.metrics_port:
        metrics, thread = start_http_server(
            settings.metrics_port, settings.host, registry=front.shop.metrics.registry
        )
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    app: Front | Traced = front
    if settings.otlp_endpoint:
        from shop.server.tracing import traced

        app = traced(front, settings.otlp_endpoint, settings.environment)
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, keep_alive=True),
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(ending.wait())
    log.info("serving on http://%s:%s", settings.host, settings.port)
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if ending.is_set():
        await _drain(front, settings)
        server.stop()  # type: ignore[no-untyped-call]
    waiting.cancel()
    await serving
    if app is not front:
        await asyncio.to_thread(app.close)  # type: ignore[union-attr]  # only a Traced is another one
    if metrics and thread:
        metrics.shutdown()
        metrics.server_close()
        thread.join()
    log.info("ended")


async def _drain(front: Front, settings: Settings) -> None:
    """Not ready any more; then wait for what is under way, as long as the settings allow."""
    log.info("draining: no longer ready")
    front.shop.draining = True
    deadline = time.monotonic() + settings.drain_seconds
    await asyncio.sleep(min(NOTICED, settings.drain_seconds))
    while front.under_way and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    if front.under_way:
        log.warning("draining: %s requests did not end in time", front.under_way)
        front.cut()


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            detail = error.strerror or str(error)
            raise SettingsError(f"port {port} of {host} can not be used: {detail}; set another") from None
