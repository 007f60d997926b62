"""Files → typed config, or every problem in them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from generator.config import codes
from generator.config.document import Document, Path, open_document, shown, similar
from generator.config.environment import Environment
from generator.config.rules import across, within
from generator.config.tiers import TIER_DEFAULTS
from generator.config.validate import dotted, validate_model
from generator.problem import Place, Problem, ProblemsError

TIERS = tuple(TIER_DEFAULTS)


@dataclass(frozen=True, slots=True)
class LoadedEnvironment:
    """An environment and the file that it came from."""

    environment: Environment
    document: Document

    def place(self, *path: str | int) -> Place:
        """Where in the file `path` (camelCase keys, as written) is decided."""
        return self.document.place(path)

    def origin(self, *path: str | int) -> Place | str:
        """Who decided `path`: a place in the file, or which default. KeyError if there is no such value."""
        _at(self.environment.model_dump(by_alias=True, mode="json"), path)
        if path in self.document.values:
            return self.document.values[path]
        try:
            _at(TIER_DEFAULTS[self.environment.tier], path)
        except KeyError:
            return f"default of the model ({dotted(path)})"
        return f"default of tier {self.environment.tier}"


def load_environment(path: FilePath, root: FilePath | None = None) -> LoadedEnvironment:
    """Read one environment file; messages show it relative to `root` (the current folder if None).

    ProblemsError carries everything that is wrong with the file.
    """
    document, found = open_document(path, root)
    environment = validate_model(
        Environment, document, _defaults(document), [*found, *_misnamed(document, path)]
    )
    problems = within(environment, document)
    if problems:
        raise ProblemsError(problems)
    return LoadedEnvironment(environment, document)


def load_environments(
    folder: FilePath, root: FilePath | None = None, names: Iterable[str] | None = None
) -> tuple[LoadedEnvironment, ...]:
    """The environments of a folder, or those `names` of it, by tier and name.

    ProblemsError carries everything that is wrong with any of the files, and between them.
    """
    known = _environment_files(folder, root)
    wanted = list(dict.fromkeys(known if names is None else names))
    loaded: list[LoadedEnvironment] = []
    problems = [_no_such_environment(name, folder, known, root) for name in wanted if name not in known]
    for name in wanted:
        try:
            loaded += [load_environment(known[name], root)] if name in known else []
        except ProblemsError as error:
            problems += error.problems
    problems += across([(each.environment, each.document) for each in loaded])
    if problems:
        raise ProblemsError(problems)
    return tuple(sorted(loaded, key=lambda each: (TIERS.index(each.environment.tier), each.environment.name)))


def _defaults(document: Document) -> Mapping[str, Any]:
    """The defaults of the file's tier. Where the tier is wrong, production's: then it alone is reported."""
    tier = document.value.get("tier")
    return TIER_DEFAULTS[tier if isinstance(tier, str) and tier in TIER_DEFAULTS else "production"]


def _misnamed(document: Document, path: FilePath) -> list[Problem]:
    name = document.value.get("name")
    if not isinstance(name, str) or name == path.stem:
        return []
    message = f"`name` is {name}, and the file is {path.name}"
    hint = f"write `name: {path.stem}`, or rename the file to {name}.yaml"
    return [Problem(codes.FILE_NAME, message, hint, document.place(("name",)))]


def _environment_files(folder: FilePath, root: FilePath | None) -> dict[str, FilePath]:
    """Name → file. Files that look like an environment but would not be read are problems."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _unread(folder, root, f"the folder cannot be read: {reason}", "check the path") from None
    for path in paths:
        if path.suffix == ".yml":
            raise _unread(path, root, "files ending in .yml are not read", f"name it {path.stem}.yaml")
    if not paths:
        raise _unread(folder, root, "the folder has no environment", "add a file like prod.yaml")
    return {path.stem: path for path in paths}


def _unread(path: FilePath, root: FilePath | None, message: str, hint: str) -> ProblemsError:
    return ProblemsError([Problem(codes.CANNOT_READ, message, hint, Place(shown(path, root)))])


def _no_such_environment(name: str, folder: FilePath, known: Iterable[str], root: FilePath | None) -> Problem:
    near = similar(name, known)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
    return Problem(
        codes.NO_SUCH_ENVIRONMENT, f"there is no environment {name}", hint, Place(shown(folder, root))
    )


def _at(data: Any, path: Path) -> Any:
    """What is at `path` of plain data; KeyError if there is nothing."""
    for item in path:
        try:
            data = data[item]
        except (IndexError, KeyError, TypeError):
            raise KeyError(dotted(path)) from None
    return data
