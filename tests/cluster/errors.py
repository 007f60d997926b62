"""What a person can do something about."""

from __future__ import annotations


class BedError(RuntimeError):
    """A test bed cannot be, or is no more. The message says what is wrong and what to do."""
