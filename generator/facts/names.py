"""Names that an environment may use, as types for the config: only those that the facts know."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from generator.facts import ec2, rds


class OneOf:
    """A marker for `Annotated[str, …]`: the text must be one of `names()`, asked for only when needed."""

    __slots__ = ("names", "table", "what")

    def __init__(self, what: str, table: str, names: Callable[[], Collection[str]]) -> None:
        self.what = what
        self.table = table
        self.names = names

    def check(self, text: str) -> str:
        """The text itself; ValueError naming the nearest known."""
        if text not in self.names():
            raise ValueError(f"unknown {self.what} '{text}': {self._advice(text)}")
        return text

    def __get_pydantic_core_schema__(self, source: type[str], handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic validates."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What editors offer."""
        return {**handler(schema), "enum": sorted(self.names())}

    def _advice(self, text: str) -> str:
        near = get_close_matches(text.lower(), self.names(), n=1, cutoff=0.7)
        return f"did you mean {near[0]}?" if near else f"`dhakacart facts {self.table}` lists what is known"


InstanceType = Annotated[str, OneOf("instance type", "ec2", ec2.instances)]
DatabaseClass = Annotated[str, OneOf("database class", "rds", rds.classes)]
