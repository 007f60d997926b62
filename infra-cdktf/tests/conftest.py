"""One synthesis of every environment for the whole run, and one rehearsal beside it: nothing costs more."""

from __future__ import annotations

import json
import os
import shutil
from collections import ChainMap
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dhakacart_infra.inputs import ROOT
from verify.aws import moto
from verify.gaps import GAPS
from verify.rehearsal import Rehearsed, account_of, rehearse
from verify.terraform import MissingError, each, executable
from verify.tree import Key

from generator.config.infrastructure import Infrastructure, infrastructure
from generator.config.load import load_environments

PLANTED = "PLANTED_STACKS"
"""Names a folder with stacks to test instead: test_faults.py plants mistakes there."""
ENVIRONMENTS = ("dev", "staging", "prod")
Stacks = Mapping[tuple[str, str], dict[str, Any]]
"""(environment, lifecycle) → the parsed cdk.tf.json."""
Rehearsal = Mapping[Key, Rehearsed]


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


@pytest.fixture(scope="session")
def terraform() -> str:
    """The path of Terraform. On a laptop without it tests that need it are skipped, in CI they fail."""
    try:
        return executable()
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def rehearsal(
    stacks: Stacks, terraform: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[Rehearsal]]:
    """Every stack of every environment applied in order, to an account of its own."""
    from dhakacart_infra.app import ORDER

    scratch = tmp_path_factory.mktemp("rehearsal")
    # On K3s two load balancers are waited for, one after the other: its bootstrap goes beside the rest.
    lanes: list[tuple[str, tuple[str, ...]]] = [("dev", ORDER[1:]), ("dev", ORDER[:1])]
    lanes += [(name, ORDER) for name in ENVIRONMENTS if name != "dev"]
    of = [(name, {stack: stacks[name, stack] for stack in chosen}) for name, chosen in lanes]
    with ExitStack() as servers, ThreadPoolExecutor(max_workers=1) as beside:
        accounts = [servers.enter_context(moto(account_of(chosen))) for _, chosen in of]

        def one(lane: int) -> Rehearsal:
            name, chosen = of[lane]
            done = rehearse(name, chosen, scratch, accounts[lane])
            return {(name, stack): how for stack, how in done.items()}

        def all_of_them() -> Rehearsal:
            return dict(ChainMap(*map(dict, each(one, range(len(of))))))

        yield beside.submit(all_of_them)


@pytest.fixture(scope="session")
def database(stacks: Stacks, terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Production's data stack applied with the database: three minutes, as the provider waits for RDS."""
    chosen = {stack: stacks["prod", stack] for stack in ("network", "data")}
    with moto(account_of(chosen)) as server:
        yield rehearse("prod", chosen, tmp_path_factory.mktemp("database"), server, gaps=GAPS)["data"]


def _waits(item: pytest.Item) -> bool:
    return "rehearsal" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for the rehearsal come last: the others run beside it."""
    items.sort(key=_waits)


@pytest.fixture(scope="session", autouse=True)
def _begin(request: pytest.FixtureRequest) -> None:
    """The rehearsal begins first if any test will ask for it, and if it can."""
    if any(map(_waits, request.session.items)) and shutil.which("terraform"):
        request.getfixturevalue("rehearsal")
