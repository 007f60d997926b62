"""checkov over the stacks: public rules about AWS. It has a venv of its own."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from verify.terraform import niced
from verify.tree import Key, Stack, copy

HERE = Path(__file__).parent
PROGRAM = HERE.parent / ".venv-checkov" / "bin" / "checkov"
SKIPS = HERE / "checkov.toml"
PATIENCE = 300


class NoCheckovError(Exception):
    """checkov is not installed; the message says how."""

    def __init__(self) -> None:
        super().__init__("checkov is missing: `make infra-cdktf/.venv-checkov/.installed` installs it")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A rule that a resource breaks; `place` is environment/stack."""

    check: str
    place: str
    resource: str
    title: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Findings that are not followed, and why."""

    pattern: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        check, place, *resource = self.pattern.split()
        return (
            finding.check == check
            and fnmatchcase(finding.place, place)
            and all(fnmatchcase(finding.resource, each) for each in resource)
        )


def skips() -> list[Skip]:
    """The list in checkov.toml."""
    said: Mapping[str, str] = tomllib.loads(SKIPS.read_text())["skip"]
    return [Skip(pattern, reason) for pattern, reason in said.items()]


def findings(stacks: Mapping[Key, Stack], scratch: Path) -> list[Finding]:
    """All that checkov finds, also what is skipped."""
    if not PROGRAM.is_file():
        raise NoCheckovError
    for (environment, lifecycle), stack in stacks.items():
        # It takes a whole file for broken that says `required_version`.
        copy(
            {part: stack[part] for part in ("data", "resource") if part in stack},
            scratch / environment / lifecycle,
        )
    options = ["--framework", "terraform_json", "--skip-download", "--compact", "--output", "json"]
    done = subprocess.run(  # noqa: S603 -- our own arguments
        [*niced(), PROGRAM, "--directory", scratch, *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if not report or report["summary"]["parsing_errors"] or not report["summary"]["passed"]:
        raise RuntimeError(f"checkov could not read the stacks: {done.stderr[-2000:]}")
    return sorted(
        Finding(
            each["check_id"],
            str(Path(each["file_path"]).parent).strip("/"),
            each["resource"],
            each["check_name"],
        )
        for each in report["results"]["failed_checks"]
    )


def unexplained(found: Iterable[Finding], known: Iterable[Skip]) -> list[Finding]:
    """Findings that no skip covers."""
    chosen = list(known)
    return [each for each in found if not any(skip.covers(each) for skip in chosen)]


def unused(found: Iterable[Finding], known: Iterable[Skip]) -> list[Skip]:
    """Skips that cover nothing."""
    chosen = list(found)
    return [skip for skip in known if not any(skip.covers(each) for each in chosen)]
