"""Dated, sourced facts as data (`data/*.json`), with a typed reader each; unknown is None, never a guess.

The readers load their file when first asked and keep it. Rendering uses facts, never the clock.
"""

from generator.facts.names import DatabaseClass, InstanceType

__all__ = ["DatabaseClass", "InstanceType"]
