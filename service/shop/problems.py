"""What a client is told that asks for something impossible: RFC 9457 problem details with a stable code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 -- the RFC's word
    """An answer other than success.

    `code` is stable and for programs (`sold_out`), `detail` is for developers, in English; pages say it in
    the shopper's language by the code. `extra` are more members of the document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> bytes:
        """The document as JSON."""
        said = {"status": self.status, "code": self.code, "detail": self.detail, **self.extra}
        return msgspec.json.encode(said)


def unavailable(code: str, detail: str, retry_after: int = 1) -> Problem:
    """503: the shop can not do it now, and says when (in seconds) to try again."""
    return Problem(503, code, detail, headers={"Retry-After": str(retry_after)}, retry_after=retry_after)
