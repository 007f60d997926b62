"""The order writer: whatever queued while the last batch was being committed is the next batch.

One writer a pod, one connection. An answer is given only after the commit. A batch whose outcome is unknown
is run again: its keys make that safe.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from shop.orders.allocate import Decision, Item, PlaceOrder, allocate
from shop.orders.store import BrokenError, FullError, Kept, Result, Store, Stored
from shop.problems import Problem, unavailable
from shop.settings import Settings

LARGEST_BATCH = 256
CAPACITY = 4096
"""Orders that may wait; some 0.2 s of work."""
PATIENCE = 8.0
"""Seconds that an order waits for a database that is away, before its shopper is told to try again."""
BACKOFF = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between two tries to connect."""

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Told what is committed; the server makes metrics of it."""

    def order(self, outcome: str) -> None:
        """`placed`, `sold_out`, `replayed` or `failed`."""

    def batch(self, size: int, seconds: float) -> None:
        """A commit of so many orders took so long."""


class _Waiting(NamedTuple):
    request: PlaceOrder
    answer: asyncio.Future[Stored]
    since: float


class OrderWriter:
    """Places orders. `start` it, `drain` it at the end; between them `place` from any task of the loop."""

    def __init__(self, settings: Settings, metrics: Observer, *, capacity: int = CAPACITY) -> None:
        self._store = _store(settings)
        self._metrics = metrics
        self._reservation = timedelta(minutes=settings.reservation_minutes)
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._draining = False
        self._connected = False
        self.capacity = capacity
        self.committed = 0
        """How many answers were given since the start."""

    @property
    def depth(self) -> int:
        """How many orders wait."""
        return len(self._queue)

    async def start(self) -> None:
        """Begin. A database that is away is no error: orders wait for it, for a while."""
        self._draining = False
        self._task = asyncio.create_task(self._run(), name="order-writer")

    async def drain(self) -> None:
        """Take no more orders, commit those that wait, end."""
        self._draining = True
        self._wake.set()
        if self._task:
            await self._task
            self._task = None

    async def place(self, request: PlaceOrder) -> Stored:
        """The answer to an order, once it is durable. Problem 503 when there is no room, or no database.

        Of a request that is cancelled the order may be placed all the same: its key tells.
        """
        if self._draining or self._task is None:
            raise unavailable("closing", "this server is about to end; another one answers")
        if len(self._queue) >= self.capacity:
            raise unavailable("busy", "too many orders wait; try again with the same key")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future(), time.monotonic())
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.answer

    async def _run(self) -> None:
        try:
            while self._queue or not self._draining:
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                count = min(len(self._queue), LARGEST_BATCH)
                await self._settle([self._queue.popleft() for _ in range(count)])
        finally:
            await self._store.close()

    async def _settle(self, batch: list[_Waiting]) -> None:
        """Commit a batch, however often the connection breaks; what waits too long is told so."""
        failures = 0
        while batch:
            try:
                if not self._connected:
                    await self._store.open()
                    self._connected = True
                await self._commit(batch)
            except BrokenError as error:
                self._connected = False
                failures += 1
                if failures == 1:
                    log.warning("orders wait for the database: %s", error)
                batch = self._patient(batch, failures)
                if failures > 1:
                    await asyncio.sleep(BACKOFF[min(failures - 2, len(BACKOFF) - 1)])
                self._queue = deque(self._patient(list(self._queue), failures))
            except FullError as error:
                await self._refused(batch, error)
                return
            except Exception:  # a mistake of ours must not leave shoppers without an answer
                log.exception("a batch of orders failed")
                self._connected = False
                for waiting in batch:
                    self._fail(waiting, unavailable("database", "try again with the same key", 2))
                return
            else:
                return

    async def _refused(self, batch: list[_Waiting], error: FullError) -> None:
        """The database refused a batch, and wrote nothing of it. One order of it may be why: each alone."""
        if len(batch) > 1:
            for waiting in batch:
                await self._settle([waiting])
            return
        log.error("an order was refused by the database: %s", error)
        self._fail(batch[0], unavailable("database", "the order could not be stored; nothing was ordered", 5))

    async def _commit(self, batch: list[_Waiting]) -> None:
        requests: dict[str, PlaceOrder] = {}
        for waiting in batch:  # the same key twice in a batch is one row
            requests.setdefault(waiting.request.key, waiting.request)
        ordered = {key: requests[key] for key in sorted(requests)}
        began = time.perf_counter()
        result = await self._store.commit(ordered, lambda fresh, stock: self._decide(batch, fresh, stock))
        self._metrics.batch(len(ordered), time.perf_counter() - began)
        self._answer(batch, requests, result)

    def _decide(
        self, batch: list[_Waiting], fresh: Iterable[PlaceOrder], stock: Mapping[str, Item]
    ) -> Decision:
        """In the order of arrival, not of keys."""
        keys = {request.key for request in fresh}
        arrived = dict.fromkeys(waiting.request.key for waiting in batch if waiting.request.key in keys)
        first = {waiting.request.key: waiting.request for waiting in reversed(batch)}
        return allocate((first[key] for key in arrived), stock, datetime.now(UTC), self._reservation)

    def _answer(self, batch: list[_Waiting], requests: Mapping[str, PlaceOrder], result: Result) -> None:
        self.committed += len(batch)
        known = dict(result.kept)
        fresh = {}
        for outcome in result.decision.outcomes:
            known[outcome.key] = Kept(requests[outcome.key].fingerprint, outcome.status, outcome.body)
            fresh[outcome.key] = outcome.status
        for waiting in batch:
            key, kept = waiting.request.key, known.get(waiting.request.key)
            if kept is None:  # cleaned away between two looks
                self._fail(waiting, unavailable("busy", "try again with the same key"))
            elif kept.fingerprint != waiting.request.fingerprint:
                self._fail(
                    waiting, Problem(422, "key_reused", "this Idempotency-Key belongs to another order")
                )
            else:
                first = fresh.pop(key, None)
                self._metrics.order(_OUTCOMES.get(kept.status, "failed") if first else "replayed")
                if not waiting.answer.done():
                    waiting.answer.set_result(Stored(kept.status, kept.body, replayed=first is None))

    def _patient(self, batch: list[_Waiting], failures: int) -> list[_Waiting]:
        """Those that may wait on; the others are told. At the end of the process a few tries must do."""
        now = time.monotonic()
        for waiting in batch:
            if now - waiting.since > PATIENCE or (self._draining and failures > len(BACKOFF)):
                detail = "the database is away; try again with the same key: an order is placed once"
                self._fail(waiting, unavailable("database", detail, 2))
        return [waiting for waiting in batch if not waiting.answer.done()]

    def _fail(self, waiting: _Waiting, problem: Problem) -> None:
        self._metrics.order("failed")
        with suppress(asyncio.InvalidStateError):
            waiting.answer.set_exception(problem)


_OUTCOMES = {201: "placed", 409: "sold_out"}


def _store(settings: Settings) -> Store:
    if settings.on_postgresql:
        from shop.orders.store_postgres import PostgresStore

        return PostgresStore(settings)
    from shop.orders.store_sqlite import SqliteStore

    return SqliteStore(settings)
