"""Jinja2 over `apps/`: strict names, values written as YAML, and errors that point into the template."""

from __future__ import annotations

import difflib
import json
import re
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from pydantic import BaseModel

from generator.problem import Place, Problem, ProblemsError

# JSON lets these stand, YAML does not, or takes them for line breaks.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Private-use characters: no sensible template holds them, so a marked line is found again in the output.
_MARK = re.compile("\ue000(\\d+)\ue001")


class _Undefined(StrictUndefined):
    """Says what else could have been meant."""

    @property
    def _undefined_message(self) -> str:
        message = str(super()._undefined_message)
        known = [name for name in dir(self._undefined_obj) if not name.startswith(("_", "model_"))]
        near = difflib.get_close_matches(str(self._undefined_name), known, n=1)
        return f"{message}: did you mean {near[0]!r}?" if near else message


def as_yaml(value: Any) -> str:
    """A value as one line of YAML: JSON is YAML's flow style with every string quoted."""
    text = json.dumps(value, ensure_ascii=False, default=_jsonable)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} has no YAML form")


class Templates:
    """The templates of one `apps/` folder; `cache` keeps compiled ones between runs."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self.folder = folder
        self._jinja = Environment(
            loader=FileSystemLoader(folder),
            undefined=_Undefined,
            autoescape=False,  # noqa: S701 - YAML, not HTML
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            bytecode_cache=_bytecode_cache(cache),
            auto_reload=False,
        )
        self._jinja.filters["yaml"] = as_yaml

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """Text of template `name` (relative to the folder); ProblemsError naming template and line."""
        try:
            return self._jinja.get_template(name).render(context)
        except Exception as error:
            raise ProblemsError([self._problem(name, error)]) from error

    def line_of(self, name: str, context: Mapping[str, Any], output_line: int) -> int:
        """Line of template `name` that wrote line `output_line` (both from 1) of its output."""
        source = "".join(_marked(self._jinja, (self.folder / name).read_text(encoding="utf-8")))
        text = self._jinja.from_string(source).render(context)
        marks = _MARK.findall("\n".join(text.split("\n")[:output_line]))
        return int(marks[-1]) if marks else 1

    def _problem(self, name: str, error: Exception) -> Problem:
        place, message = self._place(name, error), str(error) or type(error).__name__
        if isinstance(error, TemplateNotFound):
            return Problem(
                "DC-APP-001", f"there is no template {message}", "create it or mend the name", place
            )
        if isinstance(error, TemplateSyntaxError):
            return Problem(
                "DC-APP-002", f"template syntax: {message}", "see the Jinja2 template syntax", place
            )
        hint = "`env` is the environment's config, `app` the app.yaml, `names` the shared names"
        what = message if isinstance(error, TemplateError) else f"{type(error).__name__}: {message}"
        return Problem("DC-APP-003", what, hint, place)

    def _place(self, name: str, error: Exception) -> Place:
        if isinstance(error, TemplateSyntaxError):
            return Place(self.shown(error.name or name), error.lineno)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(".j2")]
        if not frames:
            return Place(self.shown(name))
        inner = Path(frames[-1].filename)
        return Place(self.shown(str(inner.relative_to(self.folder))), frames[-1].lineno or 0)

    def shown(self, name: str) -> str:
        """How messages call template `name`: its path in the repository."""
        return f"{self.folder.name}/{name}"


def _marked(jinja: Environment, source: str) -> Iterator[str]:
    """The source with each line of plain text beginning with a mark of its number."""
    fresh = True  # a tag that ends its line has swallowed the line break
    for line, kind, text in jinja.lex(source):
        if kind == "data":
            first, *rest = text.split("\n")
            yield f"\ue000{line}\ue001{first}" if fresh else first
            for offset, part in enumerate(rest, start=1):
                yield f"\n\ue000{line + offset}\ue001{part}"
        else:
            yield text
        fresh = text.endswith("\n")


def _bytecode_cache(folder: Path | None) -> FileSystemBytecodeCache | None:
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # a read-only checkout still renders, only slower
    return FileSystemBytecodeCache(str(folder))
