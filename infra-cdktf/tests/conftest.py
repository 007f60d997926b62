"""One synthesis of every environment for the whole run: starting jsii costs more than all stacks together."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dhakacart_infra.inputs import ROOT

from generator.config.infrastructure import Infrastructure, infrastructure
from generator.config.load import load_environments

PLANTED = "PLANTED_STACKS"
"""Names a folder with stacks to test instead: test_faults.py plants mistakes there."""
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
    if planted := os.environ.get(PLANTED):
        files = Path(planted).glob("*/*.json")
        return {(file.parent.name, file.stem): json.loads(file.read_text()) for file in files}
    from dhakacart_infra.app import synthesize

    scratch: Path = tmp_path_factory.mktemp("synth")
    return {key: json.loads(content) for key, content in synthesize(environments.values(), scratch).items()}
