"""One synthesis of every environment for the whole run, and one rehearsal beside it: nothing costs more."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dhakacart_infra.inputs import ORDER, ROOT
from verify.aws import moto
from verify.gaps import GAPS
from verify.rehearsal import Rehearsed, account_of, rehearse
from verify.terraform import NICE, MissingError, executable
from verify.tree import committed

from generator.config.infrastructure import Infrastructure, infrastructure
from generator.config.load import load_environments

PLANTED = "PLANTED_STACKS"
"""Names a folder with stacks to test instead: test_faults.py plants mistakes there."""
LONGEST = "dev"
"""Its K3s has a load balancer of its own, and two are waited for in line."""
NICENESS = {"prod": NICE // 2, "staging": NICE // 2, LONGEST: 0}
"""Most is asked of production afterwards, and most is waited for of dev."""
ENVIRONMENTS = tuple(NICENESS)
Stacks = Mapping[tuple[str, str], dict[str, Any]]
"""(environment, lifecycle) → the parsed cdk.tf.json."""
Rehearsal = Mapping[str, Future[dict[str, Rehearsed]]]
"""Environment → how each of its stacks fared, once it is done."""


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
def rehearsal(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Every committed stack of every environment applied, to an account of its own."""
    scratch = tmp_path_factory.mktemp("rehearsal")
    with ExitStack() as servers, ThreadPoolExecutor(max_workers=len(ENVIRONMENTS)) as beside:

        def one(name: str) -> dict[str, Rehearsed]:
            stacks = {stack: content for (_, stack), content in committed(ROOT, name, ORDER).items()}

            def lane(chosen: tuple[str, ...], nice: int) -> dict[str, Rehearsed]:
                some = {stack: stacks[stack] for stack in chosen}
                server = servers.enter_context(moto(account_of(some)))
                return rehearse(name, some, scratch, server, nice=nice)

            # Bootstrap need not come first: that its bucket is the others' a test says without Terraform.
            with ThreadPoolExecutor() as pool:
                first = pool.submit(lane, ORDER[:1], NICE)
                return lane(ORDER[1:], NICENESS[name]) | first.result()

        yield {name: beside.submit(one, name) for name in ENVIRONMENTS}


@pytest.fixture(scope="session")
def database(stacks: Stacks, terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Production's data stack applied with the database: three minutes, as the provider waits for RDS."""
    chosen = {stack: stacks["prod", stack] for stack in ("network", "data")}
    with moto(account_of(chosen)) as server:
        yield rehearse("prod", chosen, tmp_path_factory.mktemp("database"), server, gaps=GAPS)["data"]


def _waits(item: pytest.Item) -> bool:
    return "rehearsal" in getattr(item, "fixturenames", ())


def _rank(item: pytest.Item) -> int:
    """Tests that wait for the rehearsal come last, in the environments' order: others run beside it."""
    callspec = getattr(item, "callspec", None)
    name = callspec.params.get("name") if callspec else None
    place = ENVIRONMENTS.index(name) if name in ENVIRONMENTS else 0
    return 1 + place if _waits(item) else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of `_rank`, else as they are."""
    items.sort(key=_rank)


@pytest.fixture(scope="session", autouse=True)
def _begin(request: pytest.FixtureRequest) -> None:
    """The rehearsal begins first if any test will ask for it, and if it can."""
    if any(map(_waits, request.session.items)) and shutil.which("terraform"):
        request.getfixturevalue("rehearsal")
