"""A YAML file with the place of every key and value, for messages that point.

Scalars are read as YAML 1.2 reads them, minus what people trip over: only `true`, `false`, `null` and decimal
numbers are more than text. `on`, `yes`, `0777`, `12:30` and `2026-11-22` stay text.
"""

from __future__ import annotations

import difflib
import math
import re
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import yaml

from generator.config import codes
from generator.config.syntax import syntax_problem
from generator.problem import Place, Problem, ProblemsError

Path = tuple[str | int, ...]

MAX_BYTES = 2**20
MAX_DEPTH = 32

# libyaml's C parser where PyYAML was built with it (every wheel is), else the ten times slower Python one.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile(r"\r\n|\r|\n")
_UNSEEN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufffe\uffff"
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})(?P<fraction>\.\d+)?(?P<exponent>[eE][-+]?\d{1,3})?", re.ASCII)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `values` and `keys` give the place of each value and of its key, by path.

    A block mapping or list is placed at its key, the line that a reader looks for. `unread` are the paths
    whose value could not be taken (an alias, a tag): they are None in `value` and were reported already.
    """

    file: str
    lines: tuple[str, ...]
    value: dict[str, Any]
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]
    unread: frozenset[Path] = frozenset()

    def place(self, path: Path) -> Place:
        """Where `path` is written, else the nearest thing around it that is."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(self.file))

    def key_place(self, path: Path) -> Place:
        """Where the key of `path` is written, else the place of the value or of what is around it."""
        return self.keys.get(path) or self.place(path)

    def text(self, path: Path) -> str:
        """A one-line value as it is written in the file, quotes included; empty if it is not there."""
        where = self.values.get(path)
        return self.lines[where.line - 1][where.column - 1 :][: where.length] if where else ""


def read_document(path: FilePath, root: FilePath | None = None) -> Document:
    """Read one YAML mapping; ProblemsError says all that is wrong.

    The file is shown relative to `root` (the current folder if None) where it is inside of it.
    """
    document, problems = open_document(path, root)
    if problems:
        raise ProblemsError(problems)
    return document


def open_document(path: FilePath, root: FilePath | None = None) -> tuple[Document, list[Problem]]:
    """Like `read_document`, but mistakes that leave the rest readable come back beside the document."""
    file = shown(path, root)
    return parse_document(_read_text(path, file), file)


def parse_document(text: str, file: str) -> tuple[Document, list[Problem]]:
    """Parse the text of one YAML mapping. ProblemsError where nothing can be made of it."""
    lines = tuple(_BREAK.split(text))
    _refuse_hidden(lines, file)
    reader = _Reader(file, lines, _Loader(text))
    try:
        value = reader.document()
    except yaml.MarkedYAMLError as error:
        # All that was found up to here, and the reason why no more could be.
        raise ProblemsError([*reader.all_problems(), syntax_problem(error, file, lines)]) from None
    finally:
        reader.loader.dispose()
    problems = reader.all_problems()
    if not isinstance(value, dict):
        raise ProblemsError([*problems, _not_a_mapping(value, Place(file, 1, 1), reader.values.get(()))])
    return Document(file, lines, value, reader.values, reader.keys, frozenset(reader.unread)), problems


def shown(path: FilePath, root: FilePath | None = None) -> str:
    """How messages call a file: relative to `root` (the current folder if None) if it is inside of it."""
    full, base = path.absolute(), (root or FilePath()).absolute()
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else path.as_posix()


def similar(word: object, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be, else empty."""
    names = list(known)
    text = str(word)
    same = next((name for name in names if _folded(name) == _folded(text)), "")
    longer = [name for name in names if len(text) > 2 and _folded(name).startswith(_folded(text))]
    short_for = longer[0] if len(longer) == 1 else ""
    return same or short_for or next(iter(difflib.get_close_matches(text, names, n=1, cutoff=0.6)), "")


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def scalar(text: str) -> Any:
    """A plain scalar's value: None, bool, int, float, else the text."""
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if not number:
        return text
    if not (number["fraction"] or number["exponent"]):
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else text


def _read_text(path: FilePath, file: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(file, f"{file} is not a file", "name a YAML file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(file, f"{file} does not exist", _neighbour(path)) from None
    except PermissionError:
        raise _unreadable(
            file, f"{file} must not be read by this user", "check who may read the file and its folder"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(file, f"{file} cannot be read: {reason.lower()}", "check the path") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(
            file, f"{file} is larger than 1 MiB", "a config file is a few pages: is this the right one?"
        )
    return _decode(content, file)


def _decode(content: bytes, file: str) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        raise _unreadable(
            Place(file, 1, 1), "the file starts with a byte order mark", "save it as UTF-8 without BOM"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        lines = _BREAK.split(before)
        where = Place(file, len(lines), len(lines[-1]) + 1, 1)
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise _unreadable(where, message, "save the file as UTF-8") from None


def _unreadable(where: Place | str, message: str, hint: str) -> ProblemsError:
    place = where if isinstance(where, Place) else Place(where)
    return ProblemsError([Problem(codes.CANNOT_READ, message, hint, place)])


def _neighbour(path: FilePath) -> str:
    """What may have been meant by a file that is not there."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return f"the folder {path.parent.as_posix()} is not there either"
    near = similar(path.name, names)
    return f"did you mean {(path.parent / near).as_posix()}?" if near else "check the path"


def _refuse_hidden(lines: tuple[str, ...], file: str) -> None:
    problems = [
        Problem(
            codes.BROKEN_YAML,
            f"character U+{ord(line[column]):04X} cannot be seen and is not allowed",
            f'remove it, or write it as an escape in double quotes: "\\u{ord(line[column]):04x}"',
            Place(file, number, column + 1, 1),
        )
        for number, line in enumerate(lines, 1)
        if not line.isprintable()
        and (column := next((at for at, char in enumerate(line) if _hidden(char)), -1)) >= 0
    ]
    if problems:
        raise ProblemsError(problems)


def _hidden(char: str) -> bool:
    """Control characters, line separators that editors hide, and marks that turn the reading direction."""
    if char == "\t":
        return False
    return unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _UNSEEN


def _not_a_mapping(value: Any, start: Place, where: Place | None) -> Problem:
    what = "empty" if value is None else "a list" if isinstance(value, list) else "a single value"
    hint = "write keys and values, like `name: prod`"
    return Problem(
        codes.NOT_A_MAPPING, f"the file is {what}, not a mapping of keys to values", hint, where or start
    )


@dataclass(slots=True)
class _Reader:
    """Builds values out of the parser's events, and notes the place of each.

    PyYAML's own composer would forget where an alias is, take the last of two equal keys, and recurse in C as
    deep as the input says.
    """

    file: str
    lines: tuple[str, ...]
    loader: Any
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str | None, Place] = field(default_factory=dict)
    aliases: dict[str | None, Place] = field(default_factory=dict)

    def document(self) -> Any:
        """The first document's value (None if there is none); a second one is a problem."""
        self.loader.get_event()
        if isinstance(self.loader.get_event(), yaml.StreamEndEvent):
            return None
        value = self._node(self.loader.get_event(), (), None)
        self.loader.get_event()
        after = self.loader.get_event()
        if not isinstance(after, yaml.StreamEndEvent):
            self.unread.add(())
            self._refuse(
                "a second document starts here",
                "keep one document a file: remove the `---` and what follows",
                self._span(after),
            )
        return value

    def all_problems(self) -> list[Problem]:
        """What was found, with anchors and aliases, which only the end of the file can tell apart."""
        hint = "write the value out, or quote the text if it was meant as text"
        named = [
            Problem(
                codes.YAML_FEATURE, f"`*{name}` is an alias", hint, where, also=_known(self.anchors.get(name))
            )
            for name, where in self.aliases.items()
        ]
        unused = [
            Problem(codes.YAML_FEATURE, f"`&{name}` is an anchor", hint, where)
            for name, where in self.anchors.items()
            if name not in self.aliases
        ]
        return [*self.problems, *named, *unused]

    def _node(self, event: Any, at: Path, key: Place | None) -> Any:
        start = self._span(event)
        if isinstance(event, yaml.AliasEvent):
            self.aliases.setdefault(event.anchor, start)
            return self._skip(at, start)
        if event.anchor:
            self.anchors.setdefault(event.anchor, replace(start, length=len(event.anchor) + 1))
            self.unread.add(at)
        if event.tag:
            self._refuse(
                f"`{self._word(start)}` is a tag", "write the value plainly, and text in quotes", start
            )
            self.unread.add(at)
        if isinstance(event, yaml.ScalarEvent):
            self.values[at] = start if start.length or key is None else key
            return scalar(event.value) if event.style in ("", None) else event.value
        if len(at) >= MAX_DEPTH:
            where = Problem(
                codes.YAML_FEATURE,
                f"more than {MAX_DEPTH} levels of nesting",
                "no setting is nested as deep",
                start,
            )
            raise ProblemsError([*self.all_problems(), where])
        self.values[at] = start if event.flow_style or key is None else key
        mapping = isinstance(event, yaml.MappingStartEvent)
        value, end = self._mapping(at) if mapping else self._list(at)
        if event.flow_style:
            self.values[at] = self._between(event.start_mark, end.end_mark)
        return value

    def _mapping(self, at: Path) -> tuple[dict[str, Any], Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := self.loader.get_event(), yaml.MappingEndEvent):
            where = self._span(event)
            key = self._key(event, at, where)
            if key is not None and key in result:
                first = self.keys[*at, key]
                message = f"key `{key}` is written twice in this mapping"
                self.problems.append(
                    Problem(
                        codes.DUPLICATE_KEY,
                        message,
                        f"keep one; the first is in line {first.line}",
                        where,
                        also=(first,),
                    )
                )
            if key is None or key in result:
                self._discard()
                continue
            path = (*at, key)
            self.keys[path] = where
            result[key] = None
            result[key] = self._node(self.loader.get_event(), path, where)
        return result, event

    def _list(self, at: Path) -> tuple[list[Any], Any]:
        result: list[Any] = []
        while not isinstance(event := self.loader.get_event(), yaml.SequenceEndEvent):
            result.append(self._node(event, (*at, len(result)), None))
        return result, event

    def _key(self, event: Any, at: Path, where: Place) -> str | None:
        """A key of the mapping `at`, or None after reporting why it is none."""
        wrong = _not_a_key(event)
        if wrong is None:
            return str(event.value)
        self._refuse(*wrong, where)
        self.unread.add(at)  # what the rest of the mapping lacks may well be behind this key
        if not isinstance(event, yaml.ScalarEvent):
            self._discard(event)
        return None

    def _skip(self, at: Path, where: Place) -> None:
        self.values[at] = where
        self.unread.add(at)

    def _discard(self, event: Any = None) -> None:
        """Read over one whole node."""
        depth = 0
        event = event or self.loader.get_event()
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = self.loader.get_event()

    def _refuse(self, message: str, hint: str, where: Place) -> None:
        self.problems.append(Problem(codes.YAML_FEATURE, message, hint, where))

    def _span(self, event: Any) -> Place:
        return self._between(event.start_mark, event.end_mark)

    def _word(self, place: Place) -> str:
        return self.lines[place.line - 1][place.column - 1 :].split(maxsplit=1)[0]

    def _between(self, start: Any, end: Any) -> Place:
        """From one mark to another, but not beyond the end of the first line."""
        width = len(self.lines[start.line].rstrip()) if start.line < len(self.lines) else start.column
        stop = end.column if end.line == start.line else max(width, start.column)
        return Place(self.file, start.line + 1, start.column + 1, stop - start.column)


def _not_a_key(event: Any) -> tuple[str, str] | None:
    """Why an event cannot be a key, and what to write instead."""
    if not isinstance(event, yaml.ScalarEvent):
        return "a key must be text", "quote text that has braces or brackets"
    if event.tag or event.anchor:
        return "a key with a tag or an anchor", "write only the key"
    if event.style not in ("", None) or isinstance(scalar(event.value), str):
        merge = event.value == "<<" and event.style in ("", None)
        return ("`<<` merges another mapping", "write the keys out") if merge else None
    if event.value:
        return f"key `{event.value}` is not text", f'if it is meant, quote it: "{event.value}":'
    return "a key is empty", "write a key before the colon"


def _known(place: Place | None) -> tuple[Place, ...]:
    return (place,) if place else ()
