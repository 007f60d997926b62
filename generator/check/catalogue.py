"""Every code that a check reports: importing this registers them all, policy rules and others."""

from __future__ import annotations

import generator.check.other_codes
import generator.check.policy
import generator.check.schema_codes
import generator.check.values  # noqa: F401  these imports register the rules of each
from generator.check import versions
from generator.check.rule import register
from generator.config.codes import CODES
from generator.problem import Severity


def _register_versions() -> None:
    for code, check in versions.RULES:
        title, _, doc = (check.__doc__ or "").strip().partition("\n\n")
        severity: Severity = "warning" if code == versions.ENDING else "error"
        register(code, title.removesuffix("."), doc, severity)


def _register_config() -> None:
    for code, words in CODES.items():
        register(code, words.title, words.explanation)


_register_versions()
_register_config()
