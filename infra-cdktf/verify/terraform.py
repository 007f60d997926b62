"""Terraform as a program. Providers come from the folder in `TERRAFORM_PROVIDERS`, else from its registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from verify.tree import Key, Stack, copy

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

PROVIDERS = "TERRAFORM_PROVIDERS"
AT_ONCE = 2
"""Runs of one verb at a time among those that are nice: 900 MiB and a core each. An apply mostly waits."""
NICE = 10
"""Niceness of what must leave the processors to a rehearsal beside it, which takes longest of all."""
SETTINGS = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "GOGC": "400"}
"""Go collects garbage less often: a fifth less of the processor, for a third more of memory."""
PATIENCE = 600
"""Seconds until a run is given up."""
WHERE = """Terraform 1.10 or newer is not on the PATH.
Get it from https://developer.hashicorp.com/terraform/install, or name its folder in PATH.
Without a registry, TERRAFORM_PROVIDERS names a folder as `terraform providers mirror` makes it."""

_TURNS = {verb: threading.BoundedSemaphore(AT_ONCE) for verb in ("init", "plan", "validate")}


class MissingError(Exception):
    """There is no Terraform; the message says where to get it."""

    def __init__(self) -> None:
        super().__init__(WHERE)


class FailedError(Exception):
    """A run that should have succeeded did not; the message is Terraform's own."""


def executable() -> str:
    """The path of Terraform; MissingError if there is none."""
    found = shutil.which("terraform")
    if found is None:
        raise MissingError
    return found


def niced(niceness: int = NICE) -> list[str]:
    """What comes before a command that leaves the processors to others."""
    return ["nice", "-n", str(niceness)] if niceness else []


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended. `stdout` is JSON or lines of it wherever Terraform offers that."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The messages of a run with `-json`, one a line."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    @property
    def errors(self) -> list[str]:
        """What went wrong, as people should read it."""
        told = [event["diagnostic"] for event in self.events if event.get("type") == "diagnostic"]
        found = [wording(each) for each in told if each["severity"] == "error"]
        text = self.stderr or self.stdout
        return found or ([text[max(text.find("Error:"), 0) :].strip()] if self.code == 1 else [])

    @property
    def slowest(self) -> str:
        """The resource that an apply with `-json` took longest for, and how long; empty if it made none."""
        hooks = (event["hook"] for event in self.events if event["type"] == "apply_complete")
        took = [(hook["elapsed_seconds"], hook["resource"]["addr"]) for hook in hooks]
        return "{1} {0} s".format(*max(took)) if took else ""

    def checked(self) -> Run:
        """Itself; FailedError if it failed."""
        if self.code == 1:
            raise FailedError("\n".join(self.errors))
        return self


def wording(diagnostic: Mapping[str, Any]) -> str:
    """One diagnostic in a line or more: where, what, and Terraform's advice."""
    snippet = diagnostic.get("snippet") or {}
    where = diagnostic.get("address") or snippet.get("context") or ""
    lines = [diagnostic["summary"], diagnostic.get("detail", "")]
    return (f"{where}: " if where else "") + "\n  ".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with a stack in it that Terraform runs in, with these variables.

    One that is `nice` takes turns with its like, and leaves the processors to those that are less so.
    """

    path: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    nice: int = 0

    def init(self, *, backend: bool = True, migrate: bool = False) -> Folder:
        """Link the provider and set up the state, with `migrate` from where it was before; itself."""
        folder = os.environ.get(PROVIDERS)
        mirror = [f"-plugin-dir={folder}"] if folder else []
        move = ["-migrate-state", "-force-copy"] if migrate else []
        self.run("init", "-input=false", f"-backend={str(backend).lower()}", *move, *mirror).checked()
        return self

    def take_init(self, of: Folder) -> Folder:
        """What `init` without state left in another folder; itself. Providers are all the same."""
        shutil.copytree(of.path / ".terraform", self.path / ".terraform", symlinks=True)
        shutil.copy(of.path / ".terraform.lock.hcl", self.path)
        return self

    def validate(self) -> list[dict[str, Any]]:
        """The errors that `validate` finds, as Terraform's JSON has them."""
        run = self.run("validate", "-json")
        try:
            diagnostics: list[dict[str, Any]] = json.loads(run.stdout)["diagnostics"]
        except (ValueError, KeyError) as error:
            raise FailedError(run.stderr.strip() or run.stdout.strip()) from error
        return [each for each in diagnostics if each["severity"] == "error"]

    def plan(self, *options: str) -> Run:
        """Plan; exit status 2 says that there are changes."""
        return self.run("plan", "-json", "-input=false", "-detailed-exitcode", *options)

    def apply(self, *options: str) -> Run:
        """Apply without asking."""
        return self.run("apply", "-json", "-input=false", "-auto-approve", *options)

    def run(self, verb: str, *options: str) -> Run:
        """Run it to its end."""
        with _TURNS.get(verb, nullcontext()) if self.nice else nullcontext(), _patience(verb):
            done = subprocess.run(  # noqa: S603 -- our own arguments
                [*niced(self.nice), executable(), f"-chdir={self.path}", verb, "-no-color", *options],
                env={**self.environment, **SETTINGS},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        return Run(done.returncode, done.stdout, done.stderr)


@contextmanager
def _patience(verb: str) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"`terraform {verb}` was given up after {PATIENCE} seconds") from error


def each(work: Callable[[Thing], Answer], things: Iterable[Thing]) -> list[Answer]:
    """The answers of `work` to all things in their order, made side by side; runs wait for their turn."""
    with ThreadPoolExecutor(max_workers=2 * AT_ONCE) as pool:
        return list(pool.map(work, things))


def validate_all(stacks: Mapping[Key, Stack], scratch: Path) -> dict[Key, list[str]]:
    """What `terraform validate` finds in each stack, in words.

    They are modules of one configuration, since most of the time goes into loading the provider. If Terraform
    cannot load that, or names no file for a mistake (a cycle), it is asked about each stack by itself.
    """
    together = _validate_together(stacks, scratch / "together")
    return together if together is not None else _validate_singly(stacks, scratch / "singly")


def _validate_together(stacks: Mapping[Key, Stack], scratch: Path) -> dict[Key, list[str]] | None:
    modules = {f"stack-{n}": key for n, key in enumerate(stacks)}
    for module, key in modules.items():
        copy(stacks[key], scratch / module)
    copy({"module": {module: {"source": f"./{module}"} for module in modules}}, scratch)
    try:
        errors = Folder(scratch, nice=NICE).init(backend=False).validate()
    except FailedError:
        return None
    found: dict[Key, list[str]] = {key: [] for key in stacks}
    for error in errors:
        module = Path((error.get("range") or {}).get("filename", "")).parent.name
        if module not in modules:
            return None
        found[modules[module]].append(wording(error).replace(f"module.{module}.", ""))
    return found


def _validate_singly(stacks: Mapping[Key, Stack], scratch: Path) -> dict[Key, list[str]]:
    of_any = next(iter(stacks.values()))["terraform"]["required_providers"]
    linked = Folder(copy({"terraform": {"required_providers": of_any}}, scratch / "linked")).init(
        backend=False
    )
    copies = [copy(stack, scratch / str(n)) for n, stack in enumerate(stacks.values())]
    folders = [Folder(path, nice=NICE).take_init(linked) for path in copies]
    found = each(Folder.validate, folders)
    return {key: [wording(one) for one in errors] for key, errors in zip(stacks, found, strict=True)}
