"""The recorded run in docs/cluster.md, made by `python -m cluster record`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cluster.errors import BedError

PAGE = "docs/cluster.md"
BEGIN, END = "<!-- recorded by `python -m cluster record` -->", "<!-- end of the record -->"
PACKAGES = Path(__file__).parents[1]


def record(root: Path, environment: str) -> None:
    """Bring an environment up, end it, and put what was printed between the markers of the page."""
    page = root / PAGE
    before = page.read_text()
    if BEGIN not in before or END not in before:
        raise BedError(f"{PAGE} needs the lines {BEGIN} and {END}")
    shown = [f"$ make cluster ENV={environment}", _run(root, "up", environment)]
    shown += [f"$ make cluster-down ENV={environment}", _run(root, "down", environment)]
    page.write_text(insert(before, "\n".join(shown)))


def insert(page: str, text: str) -> str:
    """The page with `text` as a block between its markers."""
    block = f"{BEGIN}\n\n```console\n{text.rstrip()}\n```\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, page, flags=re.DOTALL)


def _run(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cluster", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(PACKAGES), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BedError(f"`python -m cluster {' '.join(arguments)}` failed:\n{done.stdout}{done.stderr}")
    if str(root) in done.stdout:
        raise BedError("a path of this machine was printed, which must not get into the page")
    return done.stdout.rstrip("\n") + "\n"
