"""One JSON object a line on standard output. Lines of requests are written together, a few times a second."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec

EVERY = 0.2
"""Seconds until a line of a request is written at the latest."""
MOST = 64 * 1024
"""Bytes that wait at most."""

_encode = msgspec.json.Encoder().encode


class Lines:
    """Writes lines of requests. A reader that went away is no reason to stop serving."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer
        self._waiting: list[str] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, line: str) -> None:
        """Write a line, soon. It is a JSON object already."""
        self._waiting.append(line)
        self._size += len(line)
        if self._size > MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self.flush)

    def flush(self) -> None:
        """Write what waits, now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        lines, self._waiting, self._size = [*self._waiting, ""], [], 0
        try:
            self._out.write("\n".join(lines).encode())
            self._out.flush()
        except OSError:
            return


class JsonFormatter(logging.Formatter):
    """A record of the standard library's logging as such a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Its message; of an exception its kind and where it was raised, in one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()


def configure(level: str) -> None:
    """Let everything that logs write such lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "aiosqlite"):  # addresses of payments hold references
        logging.getLogger(chatty).setLevel(logging.WARNING)
