"""The Git repository that Argo CD reads in a test bed: a copy of the committed tree, at a file:// address.

Two things differ from what is committed, and nothing else: the repository's address, and Applications whose
Helm chart cannot be pulled are left with their manifests. Those are named in `held_back`, with the reason.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.charts import UNSERVABLE, Charts
from cluster.environment import Environment
from cluster.errors import BedError

BARE, CLONE = "platform.git", "platform"
IDENTITY = {"NAME": "Test bed", "EMAIL": "test-bed@localhost"}
SOURCES = re.compile(r"(?m)^  sources:\n((?:    .*\n)+)")
SOURCE = re.compile(r"(?m)^    - .*\n(?:      .*\n)*")
"""`spec.sources` of an Application, and one of them, as the generator writes it."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An Application whose chart is not synced. `gone`: it has nothing else, so it is not there at all."""

    application: str
    chart: str
    reason: str
    gone: bool


class Repository:
    """A bare repository and a clone of it, both in the test bed's folder.

    Paths of files are relative to clusters/<env>.
    """

    def __init__(
        self, root: Path, folder: Path, environment: Environment, charts: Charts | None = None
    ) -> None:
        self.root = root
        self.environment = environment
        self.charts = charts
        self.bare = folder / BARE
        self.clone = folder / CLONE
        self.held_back: list[HeldBack] = []

    @property
    def url(self) -> str:
        """What Argo CD is told."""
        return f"file://{self.bare}"

    @property
    def tree(self) -> Path:
        """clusters/<env> in the clone."""
        return self.clone / "clusters" / self.environment.name

    def create(self) -> str:
        """Make the repository from what is committed; its first commit."""
        branch = self.environment.revision
        _git(self.root, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.bare))
        _git(self.root, "init", "--quiet", f"--initial-branch={branch}", str(self.clone))
        _git(self.clone, "remote", "add", "origin", self.url)
        self._replace(committed(self.root, self.environment.name))
        return self._commit(f"clusters/{self.environment.name} as committed")

    def open(self) -> Repository:
        """The repository that an earlier process made."""
        self.held_back = [HeldBack(**each) for each in json.loads(self._record.read_text())]
        return self

    def commit(self, files: Mapping[str, str | None], message: str = "a test's change") -> str:
        """Write files (None removes one), commit, and push, as somebody would; the commit."""
        for name, text in files.items():
            path = self.tree / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return self._commit(message)

    def read(self, name: str) -> str:
        """A file as it is in the repository now."""
        return (self.tree / name).read_text()

    def revert(self) -> str:
        """Undo the last commit by another; the commit."""
        _git(self.clone, "revert", "--no-edit", "HEAD")
        return self._push()

    def take_work_tree(self) -> list[str]:
        """Commit clusters/<env> as it lies in the checkout, committed or not; the changed files."""
        before = self.head()
        self._replace(
            {
                str(path.relative_to(self.root)): path.read_bytes()
                for path in sorted((self.root / "clusters" / self.environment.name).rglob("*"))
                if path.is_file()
            }
        )
        after = self._commit("the work tree")
        return _git(self.clone, "diff", "--name-only", before, after).split()

    def head(self) -> str:
        """The last commit."""
        return _git(self.clone, "rev-parse", "HEAD").strip()

    def _replace(self, files: Mapping[str, bytes]) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._adapt()

    def _adapt(self) -> None:
        """Point at this repository; hold back charts that cannot be pulled."""
        self.held_back = []
        for path in sorted((self.tree / "argocd").glob("*.yaml")):
            text = path.read_text()
            adapted = text.replace(self.environment.repository, self.url)
            if self.charts:
                adapted = self.charts.serve_in(adapted)
            kept, held = hold_back(adapted, self.charts)
            self.held_back.extend(held)
            if any(one.gone for one in held):
                path.unlink()
            elif kept != text:
                path.write_text(kept)
        self._record.write_text(json.dumps([asdict(each) for each in self.held_back]))

    @property
    def _record(self) -> Path:
        return self.bare.parent / "held-back.json"

    def _commit(self, message: str) -> str:
        _git(self.clone, "add", "--all")
        _git(self.clone, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._push()

    def _push(self) -> str:
        _git(self.clone, "push", "--quiet", "origin", "HEAD")
        return self.head()


def hold_back(text: str, charts: Charts | None = None) -> tuple[str, list[HeldBack]]:
    """An Application without the sources of a chart that is not served, and what was held back of it."""
    section = SOURCES.search(text)
    sources = SOURCE.findall(section[1]) if section else []
    with_chart = [source for source in sources if _value(source, "chart")]
    held = [source for source in with_chart if not (charts and charts.has(*_chart(source)))]
    if not held:
        return text, []
    served = len(held) < len(with_chart)
    dropped = [source for source in sources if source in held or (_value(source, "ref") and not served)]
    for source in dropped:
        text = text.replace(source, "", 1)
    name = re.findall(r"(?m)^  name: (.*)$", text)[0]
    gone = len(dropped) == len(sources)
    return text, [HeldBack(name, " ".join(_chart(one)), _reason(one, charts), gone) for one in held]


def _reason(source: str, charts: Charts | None) -> str:
    if charts is None:
        return "charts cannot be pulled offline, and CHARTS names no folder"
    return UNSERVABLE.get(_chart(source)[0], "not in the folder of CHARTS")


def describe(held: Iterable[HeldBack]) -> Iterator[str]:
    """What is held back and why, a line for each reason and one for each Application."""
    by_reason: dict[str, list[HeldBack]] = {}
    for one in held:
        by_reason.setdefault(one.reason, []).append(one)
    for reason, ones in by_reason.items():
        yield f"held back: {reason}. Their manifests are synced, their charts are not:"
        for one in ones:
            yield f"  {one.application}: chart {one.chart}" + (
                ", and it has no manifests" if one.gone else ""
            )


def committed(root: Path, environment: str) -> dict[str, bytes]:
    """clusters/<env> of the last commit, by path from the root. BedError if there is none."""
    where = f"clusters/{environment}"
    command = ["git", "archive", "--format=tar", "HEAD", where]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if done.returncode:
        raise BedError(
            f"{where} is not in the last commit of {root}: run `make render`, and commit what it writes"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return dict(_files(archive))


def uncommitted(root: Path, environment: str) -> list[str]:
    """Files of clusters/<env> that differ from the last commit."""
    lines = _git(root, "status", "--porcelain", "--untracked-files=all", "--", f"clusters/{environment}")
    return [line[3:] for line in lines.splitlines()]


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.getmembers():
        file = archive.extractfile(member)
        if file:
            yield member.name, file.read()


def _chart(source: str) -> tuple[str, str]:
    return _value(source, "chart"), _value(source, "targetRevision")


def _value(source: str, key: str) -> str:
    found = re.search(rf'(?m)^(?:    - |      ){key}: "?([^"\n]*)"?$', source)
    return found[1] if found else ""


def _git(folder: Path, *arguments: str) -> str:
    """Run git, untouched by the user's own settings. BedError with what it said if it fails."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in IDENTITY.items()}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**own, **who, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise BedError(f"git {arguments[0]} in {folder}: {said}")
    return done.stdout
