"""The process that a test bed of `make cluster` belongs to, and what others know of it.

Everything lies in `.cache/cluster`: `<env>/` is the test bed, `<env>.json` its state, `<env>.log` what the
process says, `<env>.logs/` the logs of the last one that has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from apiserver.pki import Pair
from apiserver.process import ProcessError

from cluster import charts
from cluster import folder as folders
from cluster.api import Api
from cluster.bed import ROOT, Bed
from cluster.errors import BedError
from cluster.interrupts import Interrupted, Interrupts

PACKAGES = Path(__file__).parents[1]
ENDING = 30.0  # seconds; 2 are usual


@dataclass(frozen=True, slots=True)
class State:
    """What the supervising process last said. `phase` is starting, up, failed or ended."""

    phase: str
    step: str = ""
    error: str = ""
    apiserver: int = 0
    charts: str = ""
    charts_port: int = 0
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Home:
    """Where the test bed of an environment is."""

    environment: str
    root: Path = ROOT

    @property
    def base(self) -> Path:
        """Of all environments."""
        return self.root / ".cache" / "cluster"

    @property
    def folder(self) -> Path:
        """The test bed's own."""
        return self.base / self.environment

    @property
    def state_file(self) -> Path:
        """Where the supervising process says how it goes."""
        return self.base / f"{self.environment}.json"

    @property
    def log(self) -> Path:
        """What the supervising process prints."""
        return self.base / f"{self.environment}.log"

    @property
    def old_logs(self) -> Path:
        """Logs of the last test bed that has ended."""
        return self.base / f"{self.environment}.logs"

    @property
    def owner(self) -> int | None:
        """The process id of a test bed that runs."""
        return folders.owner_of(self.folder)

    def read(self) -> State | None:
        """The last state, None if there is none."""
        try:
            return State(**json.loads(self.state_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, state: State) -> None:
        """Say a state, at once for whoever reads."""
        fresh = self.state_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(state)))
        fresh.rename(self.state_file)


class Attached(Bed):
    """A test bed that another process holds: everything but starting and ending it."""

    def __init__(self, home: Home, port: int) -> None:
        super().__init__(home.environment, home.folder, root=home.root)
        self.port = port
        self._home = home

    @cached_property
    def api(self) -> Api:
        """The API as administrator, by the files that the other process made."""
        ca, admin = (
            Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key") for name in ("ca", "admin")
        )
        return Api(self.port, ca, admin)

    def check(self) -> None:
        """As `Bed.check`; ProcessError if the other process has ended, or has seen a child end."""
        Interrupts.insist()
        state = self._home.read()
        if self._home.owner is None or state is None or state.phase != "up":
            raise ProcessError((state and state.error) or f"{self._home.environment} has been ended")

    def programs(self) -> dict[str, int]:
        """Name → process id of its children."""
        return folders.children(self.folder)


def attach(home: Home) -> tuple[Attached, State]:
    """The test bed that runs in `home`, and its state. BedError if none does."""
    state = home.read()
    if home.owner is None or state is None or state.phase != "up":
        reason = f" ({state.error.splitlines()[0]})" if state and state.error else ""
        raise BedError(f"{home.environment} is not up{reason}: `make cluster ENV={home.environment}` first")
    return Attached(home, state.apiserver), state


def supervise(home: Home) -> int:
    """Hold a test bed until somebody ends it, or until a child dies; the exit status."""
    home.base.mkdir(parents=True, exist_ok=True)
    state = State("starting", since=time.time())
    home.write(state)
    try:
        with contextlib.ExitStack() as stack:
            served = charts.charts_of()
            if served:
                stack.enter_context(served)

            def say(step: str) -> None:
                home.write(State("starting", step, since=state.since))

            bed = stack.enter_context(Bed(home.environment, home.folder, root=home.root, say=say))
            folder, port = (str(served.folder), served.port) if served else ("", 0)
            home.write(State("up", "", "", bed.port, folder, port, state.since))
            while True:
                bed.check()
                time.sleep(0.3)
    except (BedError, ProcessError, OSError) as error:
        told = str(error).replace(str(home.folder), str(home.old_logs))  # where logs are from now on
        home.write(State("failed", error=told, since=state.since))
        return 1
    except Interrupted:
        home.write(State("ended", since=state.since))
        return 0
    finally:
        _keep_logs(home)


def start(home: Home) -> int:
    """Start the supervising process, in a session of its own; its process id."""
    home.base.mkdir(parents=True, exist_ok=True)
    home.state_file.unlink(missing_ok=True)
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "cluster", "--root", str(home.root), "supervise", home.environment]
    with home.log.open("wb") as log:
        child = subprocess.Popen(
            command,
            cwd=home.root,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return child.pid


def wait_up(home: Home, pid: int, say: Callable[[str], None]) -> State:
    """Wait until the test bed is up, saying each step. BedError if it cannot be."""
    said = ""
    while True:
        state = home.read()
        if state and state.phase == "up":
            return state
        if state and state.phase in ("failed", "ended"):
            raise BedError(state.error or "it was ended")
        if not _alive(pid):
            words = home.log.read_text(errors="replace").strip()[-2000:]
            raise BedError(f"the supervising process ended, {home.log} says:\n{words or 'nothing'}")
        if state and state.step != said:
            said = state.step
            say(said)
        Interrupts.insist()
        time.sleep(0.1)


def stop(home: Home) -> list[str]:
    """End a test bed, also one whose supervising process was killed; names of what was ended so."""
    pid = home.owner
    if pid is not None:
        end(pid)
    return folders.clean(home.folder)


def end(pid: int) -> None:
    """End a supervising process, and wait: it ends its children first."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + ENDING
    while _alive(pid):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # its children are found by their folder
            return
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # if it is ours and has ended, it is gone now
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _keep_logs(home: Home) -> None:
    """Logs stay where nobody needs them to run; the rest of a test bed that has ended goes."""
    if home.owner != os.getpid():
        return  # somebody else's, or never claimed
    shutil.rmtree(home.old_logs, ignore_errors=True)
    home.old_logs.mkdir(parents=True, exist_ok=True)
    for log in home.folder.glob("*.log"):
        log.rename(home.old_logs / log.name)
    shutil.rmtree(home.folder, ignore_errors=True)
