"""Lines: one JSON object each, whatever is logged, and a reader that is gone stops nothing."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from shop.server import logs
from shop.server.logs import JsonFormatter, Lines, configure
from tests.server.conftest import eventually


class Full(io.BytesIO):
    """A disk without room."""

    def write(self, _: object) -> int:
        """Fails."""
        raise OSError(28, "No space left on device")


async def test_lines_are_written_together_and_soon() -> None:
    out = io.BytesIO()
    lines = Lines(out)
    for number in range(3):
        lines.write(f'{{"n":{number}}}')
    assert out.getvalue() == b""
    await eventually(lambda: out.getvalue() == b'{"n":0}\n{"n":1}\n{"n":2}\n')


async def test_many_lines_are_not_kept() -> None:
    out = io.BytesIO()
    lines = Lines(out)
    for _ in range(2 * logs.MOST // 100):
        lines.write("x" * 100)
    assert len(out.getvalue()) > logs.MOST
    lines.flush()
    assert out.getvalue().count(b"\n") == 2 * logs.MOST // 100


async def test_a_full_disk_stops_nothing() -> None:
    lines = Lines(Full())
    lines.write("{}")
    lines.flush()
    lines.write("{}")
    lines.flush()
    await asyncio.sleep(0)


@pytest.fixture
def restored() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.usefixtures("restored")
def test_what_libraries_log_is_a_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    configure("warning")
    logging.getLogger("a").info("not this")
    logging.getLogger("a").warning('two\nlines, "quoted"')
    logging.getLogger("a").error("failed", exc_info=ValueError("why"))
    warning, error = (json.loads(line) for line in out.getvalue().splitlines())
    assert warning["message"] == 'two\nlines, "quoted"'
    assert (warning["level"], warning["logger"]) == ("warning", "a")
    assert datetime.fromisoformat(warning["time"]).utcoffset() is not None
    assert "ValueError: why" in error["exception"]


def test_time_is_utc() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "m", (), None)
    record.created = 0.0
    assert json.loads(JsonFormatter().format(record))["time"].startswith("1970-01-01T00:00:00.000")
