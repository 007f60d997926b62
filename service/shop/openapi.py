"""What the OpenAPI document says of answers: examples where all is well, problem details where it is not."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from shop.problems import MEDIA_TYPE


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with a field of the request."""

    field: str
    message: str


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details: `code` is stable and for programs, `detail` is for developers."""

    status: int
    code: str
    detail: str
    errors: list[FieldError] | None = None


def answer(document: Any, description: str, example: Any = None) -> ResponseSpec:
    """An answer with a document as in `example`, or with none."""
    examples = None if example is None else [Example(value=example)]
    return ResponseSpec(document, generate_examples=False, description=description, examples=examples)


def problem(description: str) -> ResponseSpec:
    """An answer other than success."""
    return ResponseSpec(
        ProblemDocument, generate_examples=False, media_type=MEDIA_TYPE, description=description
    )
