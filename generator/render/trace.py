"""Which config values something is made from: the config is read through a stand-in that takes notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from generator.config.document import Path


class Trace:
    """Behaves like the model that it stands for; adds the path of every field read to `seen`.

    Properties and methods run with the stand-in as `self`, so that what they are computed from is noted too.
    `changed` holds other values for some fields: what would it be if they were these?
    """

    def __init__(
        self, target: BaseModel, path: Path, seen: set[Path], changed: Mapping[Path, Any] | None = None
    ) -> None:
        self.__dict__.update(_target=target, _path=path, _seen=seen, _changed=changed or {})

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # isinstance() and match look here
        return type(self.__dict__["_target"])

    def __getattr__(self, name: str) -> Any:
        target, path = self.__dict__["_target"], self.__dict__["_path"]
        kind = type(target)
        if name in kind.model_fields:
            return self._noted(getattr(target, name), (*path, field_key(kind, name)))
        if name.startswith("model_"):  # written out whole
            return self._whole(target, path, name)
        found = getattr(kind, name)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        return partial(found, self) if callable(found) else found

    def _noted(self, value: Any, path: Path) -> Any:
        seen, changed = self.__dict__["_seen"], self.__dict__["_changed"]
        if isinstance(value, BaseModel):
            return Trace(value, path, seen, changed)
        seen.add(path)
        return changed.get(path, value)

    def _whole(self, target: BaseModel, path: Path, name: str) -> Any:
        written = set(leaves(target, path))
        if written & self.__dict__["_changed"].keys():
            raise WrittenWholeError
        self.__dict__["_seen"].update(written)
        return getattr(target, name)


class WrittenWholeError(Exception):
    """A changed value is part of a model that is written out whole: what would become of it is not known."""


def leaves(model: BaseModel, path: Path) -> Iterator[Path]:
    """Paths of every scalar and list below a model."""
    for name in type(model).model_fields:
        value, below = getattr(model, name), (*path, field_key(type(model), name))
        if isinstance(value, BaseModel):
            yield from leaves(value, below)
        else:
            yield below


def field_key(kind: type[BaseModel], name: str) -> str:
    """A field's key in YAML: its alias."""
    return kind.model_fields[name].alias or name
