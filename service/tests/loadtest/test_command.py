"""`make loadtest`, whole: its exit status is the verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import PostgresMissingError, binaries

SERVICE = Path(__file__).parents[2]


def loadtest(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    return subprocess.run(
        [sys.executable, "-m", "loadtest", *arguments],
        cwd=SERVICE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_another_machine_is_never_loaded() -> None:
    done = loadtest("--target", "https://dhakacart.com.bd")
    assert done.returncode == 2
    assert "is not this machine" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_more_is_wanted_than_there_is_and_the_verdict_is_clean() -> None:
    try:
        binaries()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    done = loadtest(
        *("--users", "6", "--seconds", "4", "--rate", "40", "--rush-seconds", "2", "--stock", "30"),
        *("--p99-ms", "5000"),  # a promise of correctness: speed is the benchmark's
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the verdict is clean" in done.stdout
    assert "× 409" in done.stdout
