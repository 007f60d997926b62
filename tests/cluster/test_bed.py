"""The test bed itself: what it says when it cannot be, and that nothing is ever left running."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from apiserver.process import ProcessError

from cluster import bed as beds
from cluster import folder as folders
from cluster import programs
from cluster.bed import ROOT, Bed, crd_manifests, find_assets, free_ports
from cluster.environment import read
from cluster.errors import BedError
from cluster.folder import CHILDREN, OWNER
from cluster.interrupts import Interrupted, Interrupts

PACKAGES = Path(__file__).parents[1]
HOLD = """
import sys, time
from pathlib import Path
from cluster.bed import Bed
with Bed("dev", Path(sys.argv[1]), parts=sys.argv[2].split(), say=lambda step: print(step, flush=True)):
    print("up", flush=True)
    time.sleep(600)
"""
ALL = " ".join(sorted(beds.PARTS))


class Held(NamedTuple):
    """A process that holds a test bed."""

    process: subprocess.Popen[str]
    folder: Path

    def wait_for(self, text: str) -> None:
        """Read what it prints until a line has `text`."""
        assert self.process.stdout
        for line in self.process.stdout:
            if text in line:
                return
        pytest.fail(f"ended without {text!r}, exit status {self.process.wait()}")

    def children(self) -> list[int]:
        """Every child that was recorded, also of those that have ended."""
        record = self.folder / CHILDREN
        return [int(line.split()[0]) for line in record.read_text().splitlines()] if record.exists() else []


def command_lines(folder: Path) -> list[str]:
    """Of every process on the machine whose command line names the folder, but for the holder's own."""
    found = (folders.command_line(int(path.name)) for path in Path("/proc").glob("[0-9]*"))
    return [line for line in found if f"{folder}/" in line]


def alive(pid: int) -> bool:
    return bool(folders.command_line(pid))


@pytest.fixture
def hold(assets: Path, tmp_path: Path) -> Iterator[Callable[..., Held]]:
    """Starts a process that holds a test bed of some parts in tmp_path/bed."""
    started: list[Held] = []

    def start(parts: str) -> Held:
        command = [sys.executable, "-c", HOLD, str(tmp_path / "bed"), parts]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(Held(process, tmp_path / "bed"))
        return started[-1]

    yield start
    for held in started:
        held.process.kill()
        held.process.wait()
        assert held.process.stdout
        held.process.stdout.close()
        folders.end_leftovers(held.folder)


@pytest.fixture(scope="module")
def small(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """etcd, kube-apiserver and a scheduler. The last test of this file kills the scheduler."""
    with Bed("dev", tmp_path_factory.mktemp("small") / "bed", parts={"scheduler"}, nodes=False) as running:
        yield running


def test_no_programs_names_both_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(
        BedError, match=r"set KUBEBUILDER_ASSETS .* or build them once with `make control-plane`"
    ):
        find_assets()


def test_programs_that_were_built_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = tmp_path / "dhakacart" / "control-plane" / "0123"
    built.mkdir(parents=True)
    (built / "argocd").touch()
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_assets() == built


def test_a_folder_that_lacks_programs_is_named(assets: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(BedError, match=r"has no etcd, kube-apiserver, .*make control-plane"),
        Bed("dev", tmp_path / "bed", assets=tmp_path),
    ):
        pytest.fail("it cannot have started")
    assert not (tmp_path / "bed").exists()


def test_a_variable_that_names_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "nowhere"))
    with pytest.raises(BedError, match=r"KUBEBUILDER_ASSETS names .*nowhere, which is no folder"):
        find_assets()


def test_a_program_that_is_not_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        BedError, match=r"redis-server is needed on the PATH.*Debian's package is redis-server"
    ):
        programs.on_path("redis-server")


def test_no_custom_resources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRD_MANIFESTS", str(tmp_path))
    with pytest.raises(BedError, match=r"run `make schemas`, or set CRD_MANIFESTS"):
        crd_manifests()


def test_an_environment_that_is_not_there() -> None:
    with pytest.raises(BedError, match=r"no environment 'production': environments/ has dev, prod, staging"):
        read(ROOT, "production")


def test_a_full_disk(assets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=100 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(BedError, match=r"100 MiB free, a test bed takes up to"), Bed("dev", tmp_path / "bed"):
        pytest.fail("it cannot have started")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_starting(
    assets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded = folders.record

    def full(folder: Path, pid: int, name: str) -> None:
        recorded(folder, pid, name)
        if name == "kube-apiserver":
            raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(folders, "record", full)
    with pytest.raises(OSError, match="No space left"), Bed("dev", tmp_path / "bed", parts=()):
        pytest.fail("it cannot have started")
    assert command_lines(tmp_path / "bed") == []


def test_a_child_that_dies_at_start_is_named_with_its_last_words(assets: Path, tmp_path: Path) -> None:
    own = tmp_path / "assets"
    own.mkdir()
    for program in assets.iterdir():
        (own / program.name).symlink_to(program)
    (own / "kube-scheduler").unlink()
    (own / "kube-scheduler").write_text("#!/bin/sh\necho cannot, today\nexit 3\n")
    (own / "kube-scheduler").chmod(0o755)
    ended = pytest.raises(ProcessError, match=r"kube-scheduler ended .*exit status 3(.|\n)*cannot, today")
    with ended, Bed("dev", tmp_path / "bed", parts={"scheduler"}, nodes=False, assets=own):
        pytest.fail("it cannot have started")
    assert command_lines(tmp_path / "bed") == []
    assert (tmp_path / "bed" / "kube-apiserver.log").stat().st_size > 0, "logs are kept"


def test_ports_that_are_taken_are_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports(1)[0]
    monkeypatch.setattr(beds, "PORTS", range(port, port + 3))
    with socket.create_server(("127.0.0.1", port)):
        assert port not in free_ports(1)
    monkeypatch.setattr(beds, "PORTS", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(BedError, match="no 1 free ports"):
        free_ports(1)


def test_a_port_taken_meanwhile_means_another_attempt(
    assets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[str] = []
    with socket.create_server(("127.0.0.1", free_ports(1)[0])) as taken:
        answers = iter([[taken.getsockname()[1], *free_ports(16)], free_ports(17)])
        monkeypatch.setattr(beds, "free_ports", lambda _: next(answers))
        with Bed("dev", tmp_path / "bed", parts=(), nodes=False, say=steps.append) as bed:
            assert bed.api.get("v1/namespaces", "default")
    assert "a port was taken just now: again, on others" in steps


@pytest.mark.parametrize(
    ("step", "number", "parts"),
    [
        ("etcd, kube-apiserver", signal.SIGINT, ""),
        ("controllers, scheduler, nodes", signal.SIGTERM, ALL),
        ("waiting until all are ready", signal.SIGINT, ALL),
        ("up", signal.SIGHUP, "scheduler"),
    ],
)
def test_nothing_is_left_after_a_signal(
    hold: Callable[..., Held], step: str, number: signal.Signals, parts: str
) -> None:
    held = hold(parts)
    held.wait_for(step)
    held.process.send_signal(number)
    time.sleep(0.1)
    held.process.send_signal(number)  # an impatient one changes nothing
    assert held.process.wait(30) != 0
    assert not any(map(alive, held.children()))
    assert command_lines(held.folder) == []


def test_a_signal_that_a_destructor_swallows_is_not_lost() -> None:
    interrupts = Interrupts()
    interrupts.install()
    try:
        with pytest.raises(Interrupted), interrupts.held():
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            Interrupts.insist()
        interrupts.install()
        Interrupts.insist()
    finally:
        interrupts.restore()


BREAK_OFF = """
import os, signal, sys
from pathlib import Path
from cluster.bed import Bed
from cluster.interrupts import Interrupted
try:
    bed = Bed("dev", Path(sys.argv[1]), parts=(), nodes=False).__enter__()
    print("up", flush=True)
    signal.pause()
except Interrupted:
    pass  # whoever was about to leave the `with` was broken off
"""


def test_what_was_never_left_ends_with_the_process(assets: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BREAK_OFF, str(tmp_path / "bed")],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        held = Held(process, tmp_path / "bed")
        held.wait_for("up")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not any(map(alive, held.children()))


def test_a_killed_run_is_cleaned_up_by_the_next(hold: Callable[..., Held]) -> None:
    held = hold("")
    held.wait_for("up")
    held.process.kill()
    held.process.wait()
    orphans = held.children()
    assert orphans
    assert all(map(alive, orphans)), "nobody was there to end them"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        folders.record(held.folder, stranger.pid, "not ours, though its number is")
        with Bed("dev", held.folder, parts=(), nodes=False) as bed:
            assert not any(map(alive, orphans))
            assert bed.api.get("v1/namespaces", "default")
            assert alive(stranger.pid)
        stranger.kill()


def test_a_folder_of_something_else_is_left_alone(assets: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("1")
    with pytest.raises(BedError, match="holds something else than a test bed"), Bed("dev", tmp_path):
        pytest.fail("it cannot have started")
    assert (tmp_path / "precious").read_text() == "1"


def test_an_owner_that_is_somebody_else_now(tmp_path: Path) -> None:
    """A process id is given again: the time of its start tells the two apart."""
    (tmp_path / OWNER).write_text(f'{{"pid": {os.getpid()}, "started": "long ago"}}')
    assert folders.owner_of(tmp_path) is None


def test_two_at_once(small: Bed, tmp_path: Path) -> None:
    with Bed("prod", tmp_path / "bed", parts=(), nodes=False) as other:
        assert other.port != small.port
        other.api.create("v1/namespaces", {"metadata": {"name": "only-here"}})
        assert small.api.find("v1/namespaces", "only-here") is None
        with pytest.raises(BedError, match=r"a test bed runs in .*end it first"), Bed("dev", small.folder):
            pytest.fail("it cannot have started")
    small.check()
    assert small.api.get("v1/namespaces", "default")


def test_a_child_that_dies_later_is_noticed(small: Bed) -> None:
    """The last test here: `small` is broken after it."""
    scheduler = next(process for process in small.processes if process.name == "kube-scheduler")
    os.kill(scheduler.pid, signal.SIGKILL)
    with pytest.raises(
        ProcessError, match=r"kube-scheduler ended .*killed by signal 9(.|\n)*Serving securely"
    ):
        small.wait_until(lambda: False, "anything", timeout=5)
    with pytest.raises(ProcessError):
        small.check()
