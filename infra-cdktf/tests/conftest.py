"""One synthesis of every environment for the whole run: starting jsii costs more than all stacks together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dhakacart_infra.inputs import ROOT

from generator.config.infrastructure import Infrastructure, infrastructure
from generator.config.load import load_environments

Stacks = Mapping[tuple[str, str], dict[str, Any]]
"""(environment, lifecycle) → the parsed cdk.tf.json."""


@pytest.fixture(scope="session")
def environments() -> dict[str, Infrastructure]:
    """Every committed environment, by name."""
    loaded = load_environments(ROOT / "environments", ROOT)
    return {each.environment.name: infrastructure(each.environment) for each in loaded}


@pytest.fixture(scope="session")
def stacks(environments: dict[str, Infrastructure], tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Every stack of every environment, synthesized now."""
    from dhakacart_infra.app import synthesize

    scratch: Path = tmp_path_factory.mktemp("synth")
    return {key: json.loads(content) for key, content in synthesize(environments.values(), scratch).items()}
