"""Helm charts from a folder, served as Argo CD expects a chart repository."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.errors import BedError
from cluster.programs import on_path

VARIABLE = "CHARTS"
UNSERVABLE = {"metrics-server": "it would take the metrics API over from the test bed's own"}
"""Charts that are never synced, and why."""


class Charts:
    """A folder of `<chart>-<version>.tgz`, with an index, on a port of 127.0.0.1 until stopped."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.absolute()
        self.port = port
        self._server: http.server.ThreadingHTTPServer | None = None
        self._copy: Path | None = None

    def __enter__(self) -> Self:
        if not any(self.folder.glob("*.tgz")):
            raise BedError(f"{VARIABLE} names {self.folder}, which has no *.tgz")
        self._copy = Path(tempfile.mkdtemp(prefix="charts-"))
        for chart in self.folder.glob("*.tgz"):
            (self._copy / chart.name).symlink_to(chart)
        handler = functools.partial(_Quiet, directory=str(self._copy))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        self._index()
        threading.Thread(target=self._server.serve_forever, name="charts", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)

    @property
    def url(self) -> str:
        """The chart repository's address."""
        return f"http://127.0.0.1:{self.port}"

    def has(self, chart: str, version: str) -> bool:
        """Whether this very version is here, and may be synced."""
        return chart not in UNSERVABLE and (self.folder / f"{chart}-{version}.tgz").is_file()

    def serve_in(self, text: str) -> str:
        """An Application or AppProject with the addresses of chart repositories replaced by ours."""
        if "\nkind: AppProject\n" in text:
            return re.sub(r"(?m)^(  sourceRepos:\n)", rf"\1    - {self.url}\n", text)
        pattern = r"(?m)^    - repoURL: .*\n      chart: (.*)\n      targetRevision: \"?([^\"\n]*)\"?$"
        return re.sub(pattern, self._ours, text)

    def _ours(self, found: re.Match[str]) -> str:
        if not self.has(found[1], found[2]):
            return found[0]
        return re.sub(r"repoURL: .*", f"repoURL: {self.url}", found[0], count=1)

    def _index(self) -> None:
        command = [str(on_path("helm")), "repo", "index", str(self._copy), "--url", self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BedError(f"helm cannot index {self.folder}: {done.stderr.strip()}")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """Say nothing of each request."""


def charts_of(environment: dict[str, str] | None = None) -> Charts | None:
    """The folder that `CHARTS` names, None where it names none."""
    named = (environment or os.environ).get(VARIABLE)
    return Charts(Path(named)) if named else None
