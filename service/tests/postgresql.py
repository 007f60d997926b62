"""A real PostgreSQL for tests: a cluster of its own on a free port, ended by pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

PLACES = ("/usr/lib/postgresql/*/bin",)  # Debian keeps the server off the PATH
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
DURABLE = ("fsync=on", "synchronous_commit=on")


class PostgresMissingError(Exception):
    """There is no PostgreSQL on this machine."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`: the PATH's, else Debian's newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    for pattern in PLACES:
        folders = sorted(Path("/").glob(pattern.lstrip("/")), key=lambda path: path.parent.name)
        if folders:
            return folders[-1]
    raise PostgresMissingError(
        "no PostgreSQL: install your system's package `postgresql`, or put initdb on the PATH"
    )


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Postgres:
    """One cluster in `folder`. `start`, `stop`, `kill` and `restart` as often as a test likes."""

    def __init__(self, folder: Path, options: Sequence[str] = FAST) -> None:
        self.folder = folder
        self.port = free_port()
        self._binaries = binaries()
        self._options = options
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the cluster's files. The server refuses to run as root, so a root's belong to another user."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(self.folder, self._user)
            for parent in list(self.folder.parents)[:-1]:
                if parent.owner() == "root" and parent.stat().st_mode & 0o001 == 0:
                    parent.chmod(parent.stat().st_mode | 0o011)
        command: list[str | Path] = [
            self._binaries / "initdb",
            "-D",
            self.folder / "data",
            "-U",
            "shop",
            "-A",
            "trust",
        ]
        command += ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self.folder)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [part for option in self._options for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"),
                    *("-c", "max_connections=200", *options),
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._user,
                cwd=self.folder,
            )
        ready: list[str | Path] = [
            self._binaries / "pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-t",
            "1",
        ]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """A fast shutdown: connections are cut, nothing is lost."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """A crash."""
        self._end(signal.SIGQUIT)

    def url(self, database: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://shop@127.0.0.1:{self.port}/{database}"

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside any transaction."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _end(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None
