"""Rendered text → Kubernetes objects: YAML 1.2, duplicate keys refused, one mapping a document."""

from __future__ import annotations

import re
from typing import Any

import ryaml

_LINE = re.compile(r" at line (\d+)(?: column \d+)?")


class BrokenYamlError(Exception):
    """The text is no YAML mapping. `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


def parse(text: str) -> list[dict[str, Any]]:
    """Every document of `text` that is not empty, as a dict; BrokenYamlError otherwise."""
    try:
        documents = ryaml.loads_all(text) or []
    except (ryaml.InvalidYamlError, ValueError) as error:
        found = _LINE.search(str(error))
        raise BrokenYamlError(_LINE.sub("", str(error)), int(found[1]) if found else 1) from None
    for document in documents:
        if not isinstance(document, dict | None):
            raise BrokenYamlError(
                f"a document is a mapping with apiVersion and kind, not {document!r:.40}", 1
            )
    return [document for document in documents if document is not None]
