"""The catalogue in memory, the same in all pods within a moment of a change.

A change raises the version in its own transaction (see `version`). A pod hears of it at once by NOTIFY, on a
connection of its own, and else within a second, by looking. While the database is away the last snapshot
stays in force: shoppers go on reading.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Iterable
from contextlib import suppress

from shop.catalogue.answers import CATEGORIES, PRODUCTS, Answer, Encoder, encoder, refusal
from shop.catalogue.snapshot import Snapshot, load, version_in
from shop.catalogue.version import CHANNEL
from shop.database import postgres
from shop.database.engine import Sessions
from shop.problems import Problem, unavailable
from shop.settings import Settings

POLL = 1.0
"""Seconds between two looks at the version."""
PAUSE = 0.05
"""Seconds between two loads at least, however many changes are told."""
ANYWAY = 60.0
"""Seconds after which it is loaded whatever the version: a backup put back may bear the number of today."""
PATIENCE = 10.0
"""Seconds after which a look counts as failed."""
FIRST = 2.0
"""Seconds that a start waits for the first load; without a database it goes on later by itself."""

log = logging.getLogger(__name__)


class Catalogue:
    """Answers what is for sale. `start` it, `stop` it; between them it keeps itself up to date."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._snapshot: Snapshot | None = None
        self._encoder: Encoder | None = None
        self._loaded = -math.inf
        self._confirmed = -math.inf
        self._changed = asyncio.Event()
        self._looked = asyncio.Event()
        self._failing = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def loaded(self) -> bool:
        """Whether there is a snapshot to answer from."""
        return self._snapshot is not None

    @property
    def age_seconds(self) -> float:
        """Seconds since the snapshot was last known to be the database's; infinite before the first."""
        return time.monotonic() - self._confirmed

    @property
    def snapshot(self) -> Snapshot:
        """What is in force now. Problem 503 before the first load."""
        if self._snapshot is None:
            raise _unavailable()
        return self._snapshot

    async def start(self) -> None:
        """Load, and keep up to date from now on. A database that is away is no error: see `loaded`."""
        self._tasks.append(asyncio.create_task(self._watch(), name="catalogue-watch"))
        if self._settings.on_postgresql:
            self._tasks.append(asyncio.create_task(self._listen(), name="catalogue-listen"))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), FIRST)

    async def stop(self) -> None:
        """End the tasks; the snapshot still answers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def answer(
        self,
        path: str,
        query_string: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        method: str = "GET",
    ) -> Answer | None:
        """The answer to GET or HEAD; None where the path is not the catalogue's. Names in small letters."""
        if not path.startswith((PRODUCTS, CATEGORIES)):
            return None
        try:
            if self._encoder is None:
                raise _unavailable()
            encoded = self._encoder(path, query_string)
        except Problem as problem:
            return refusal(problem, method)
        return encoded.answer(headers, method) if encoded else None

    async def refresh(self) -> None:
        """Load the catalogue if its version is another one; raises whatever keeps it from that."""
        now = time.monotonic()
        old = self._snapshot if now - self._loaded < ANYWAY else None
        async with asyncio.timeout(PATIENCE), self._sessions() as session:
            if old is None or await version_in(session) != old.version:
                snapshot = await load(session)
                self._snapshot, self._encoder = snapshot, encoder(snapshot)
                self._loaded = now
        self._confirmed = now

    async def _watch(self) -> None:
        while True:
            self._changed.clear()  # before looking: what is told from now on may be newer
            try:
                await self.refresh()
            except Exception as error:  # whatever it is, the snapshot stays in force
                if not self._failing:
                    log.warning("the catalogue can not be loaded: %s: %s", type(error).__name__, error)
                self._failing = True
            else:
                if self._failing:
                    log.info("the catalogue is up to date again")
                self._failing = False
            self._looked.set()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), POLL - PAUSE)

    async def _listen(self) -> None:
        while True:
            with suppress(Exception):  # looking each second finds it, and says it
                await self._hear()
            await asyncio.sleep(POLL)

    async def _hear(self) -> None:
        connection = await postgres.connect(self._settings)
        try:
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, lambda *_: self._changed.set())
            self._changed.set()  # what changed while nobody listened
            await gone.wait()
        finally:
            with suppress(Exception):
                await connection.close(timeout=1)


def _unavailable() -> Problem:
    return unavailable("catalogue_unavailable", "the catalogue is not loaded yet")
