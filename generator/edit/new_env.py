"""`new-env`: an environment file made from another one, with its comments and its order kept."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from generator.config.base import NAME
from generator.config.load import load_environments
from generator.problem import Place, Problem, ProblemsError

# Comments that belong to the value they stand behind, and are not true of a new one.
_STALE = (("tier",), ("aws", "network", "cidr"))


def new_env(
    environments: Path, name: str, source: str, changes: Mapping[tuple[str, ...], str]
) -> dict[str, str]:
    """`{path: text}` of the environment file `name`, made from that of `source` and checked with all others.

    `changes` maps the path of a key (camelCase, as in the file) to its new text, like ("aws", "network",
    "cidr") to "10.40.0.0/16". Nothing is written.

    ProblemsError: DC-EDT-001 (a name that is none), DC-EDT-002 (it exists already), DC-EDT-003 (no such
    source), and whatever loading the environments with the new file among them finds.
    """
    names = sorted(path.stem for path in environments.glob("*.yaml"))
    _check_names(environments, name, source, names)
    text = from_source(
        (environments / f"{source}.yaml").read_text(encoding="utf-8"), source, {("name",): name, **changes}
    )
    path = f"{environments.name}/{name}.yaml"
    _check_together(environments, path, text)
    return {path: text}


def from_source(text: str, source: str, changes: Mapping[tuple[str, ...], str]) -> str:
    """The text of an environment file with `changes` made and a heading that says where it came from."""
    yaml = _round_trip()
    document = yaml.load(text)
    for path, value in changes.items():
        _change(document, path, value)
    written = io.StringIO()
    yaml.dump(document, written)
    return _with_heading(
        written.getvalue(), f"# Made from {source} by `dhakacart new-env`: say here what it is for."
    )


def _round_trip() -> YAML:
    """Settings under which writing what was read changes nothing."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _change(document: Any, path: tuple[str, ...], value: str) -> None:
    at = document
    for key in path[:-1]:
        at = at.setdefault(key, {})
    old = at.get(path[-1])
    # The class of the old text carries its quotes.
    at[path[-1]] = type(old)(value) if isinstance(old, str) else value
    _move_comment(at, path)


def _move_comment(mapping: Any, path: tuple[str, ...]) -> None:
    """The comment behind a changed value follows it, or goes if it spoke of the old one."""
    tokens = mapping.ca.items.get(path[-1])
    if tokens and tokens[2]:
        if path in _STALE:
            tokens[2] = None
        else:
            tokens[2].start_mark.column = 0  # ruamel writes at the old column, but never before the value


def _with_heading(text: str, heading: str) -> str:
    """The comment lines above the first key, but for the editor's one, replaced by `heading`."""
    first_key = re.search(r"^[^#\s]", text, re.MULTILINE)
    start = first_key.start() if first_key else 0
    kept = [line for line in text[:start].splitlines() if line.startswith("# yaml-language-server:")]
    return "\n".join([*kept, heading, text[start:]])


def _check_names(environments: Path, name: str, source: str, names: list[str]) -> None:
    problems = []
    if not NAME.fullmatch(name):
        problems.append(
            Problem(
                "DC-EDT-001",
                f"`{name}` is no name for an environment",
                "1 to 20 lower-case letters, digits and dashes, starting with a letter, like `qa`",
                Place("new-env"),
            )
        )
    elif name in names:
        file = f"{environments.name}/{name}.yaml"
        hint = "edit it, or choose another name"
        problems.append(Problem("DC-EDT-002", f"there is an environment `{name}` already", hint, Place(file)))
    if source not in names:
        hint = f"environments are {', '.join(names)}" if names else "there is none yet"
        problems.append(
            Problem("DC-EDT-003", f"there is no environment `{source}` to start from", hint, Place("new-env"))
        )
    if problems:
        raise ProblemsError(problems)


def _check_together(environments: Path, path: str, text: str) -> None:
    """Load the environments with the new file among them, in a folder of their own: overlaps show there."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = root / environments.name
        folder.mkdir()
        for existing in environments.glob("*.yaml"):
            shutil.copyfile(existing, folder / existing.name)
        (root / path).write_text(text, encoding="utf-8")
        load_environments(folder, root)
