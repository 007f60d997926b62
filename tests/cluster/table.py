"""The Applications as a table: rewritten in place on a terminal, one line a change elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import TextIO

from cluster.applications import Application
from cluster.repository import HeldBack

COLOURS = {"Healthy": "32", "Synced": "32", "Degraded": "31", "Missing": "33", "Progressing": "33"}
COLOURS |= {"OutOfSync": "33", "Unknown": "2"}
HEAD = ("WAVE", "APPLICATION", "SYNC", "HEALTH", "")
GAP = "  "


def colourful(stream: TextIO) -> bool:
    """Whether colours are wanted: a terminal, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def lines(
    found: Iterable[Application], held: Iterable[HeldBack] = (), *, width: int = 100, colour: bool = False
) -> list[str]:
    """The table, each line at most `width` wide."""
    notes = {one.application: f"without its chart {one.chart}" for one in held}
    rows = [
        (str(one.wave), one.name, one.sync, one.health, _note(one, notes.get(one.name, ""))) for one in found
    ]
    widths = [max(len(row[column]) for row in [HEAD, *rows]) for column in range(4)]
    return [_line(row, widths, width, colour=colour) for row in [HEAD, *rows]]


class Live:
    """Shows Applications while they change: a table on a terminal, elsewhere a line a change."""

    def __init__(self, held: Iterable[HeldBack] = (), stream: TextIO = sys.stdout) -> None:
        self._held = tuple(held)
        self._stream = stream
        self.terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown: dict[str, Application] = {}
        self._height = 0
        self._start = time.monotonic()

    def show(self, found: dict[str, Application]) -> None:
        """Show what is different now."""
        if self.terminal:
            self._redraw(found)
        else:
            self._print_changes(found)
        self._shown = found
        self._stream.flush()

    def _redraw(self, found: dict[str, Application]) -> None:
        size = shutil.get_terminal_size()
        text = lines(found.values(), self._held, width=size.columns - 1, colour=colourful(self._stream))
        text = text[: size.lines - 2]
        up = f"\x1b[{self._height}A" if self._height else ""
        self._stream.write(up + "".join(f"\x1b[2K{line}\n" for line in text) + "\x1b[J")
        self._height = len(text)

    def _print_changes(self, found: dict[str, Application]) -> None:
        seconds = time.monotonic() - self._start
        for name, one in found.items():
            before = self._shown.get(name)
            if _word(before) != _word(one):
                self._stream.write(f"{seconds:6.1f} s  wave {one.wave:2}  {name:22}  {_word(one)}\n")


def _word(one: Application | None) -> str:
    """How it is, coarsely: of a line a change, few are wanted, and none of what was good from the first."""
    if one is None or one.good:
        return "Synced, Healthy"
    if one.health == "Degraded":
        return f"Degraded  {one.message}"
    return "under way"


def _note(one: Application, held: str) -> str:
    return "; ".join(part for part in (one.message if not one.good else "", held) if part)


def _line(row: tuple[str, ...], widths: list[int], width: int, *, colour: bool) -> str:
    cells = [
        cell.rjust(widths[0]) if column == 0 else cell.ljust(widths[column])
        for column, cell in enumerate(row[:4])
    ]
    plain = GAP.join(cells)
    room = width - len(plain) - len(GAP)
    note = row[4] if len(row[4]) <= room else row[4][: max(room - 1, 0)] + "…"
    if colour:
        cells[2:] = [_paint(cell) for cell in cells[2:]]
    return (GAP.join(cells) + GAP + note).rstrip()


def _paint(cell: str) -> str:
    code = COLOURS.get(cell.strip())
    return f"\x1b[{code}m{cell}\x1b[0m" if code else cell
