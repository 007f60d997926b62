"""Everything that the OpenAPI document describes, asked in ways nobody thought of: never a 5xx."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from shop.cli import seed
from shop.database.migrate import migrate
from shop.server.app import create_app
from shop.server.front import Front
from shop.settings import Settings
from tests.server.asking import alive, ask
from tests.server.conftest import GOODS, eventually

EXAMPLES = 60
"""For each operation: some 40 seconds for all."""


class Running:
    """The application in an event loop of its own thread: Schemathesis does not wait for coroutines."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._context = alive(create_app(settings))
        self.app = self._do(self._begin(settings))

    async def _begin(self, settings: Settings) -> Front:
        app = await self._context.__aenter__()
        await eventually(lambda: app.shop.catalogue.loaded)
        return app

    def ask(self, *arguments: Any) -> Any:
        """One request."""
        return self._do(ask(self.app, *arguments))

    def close(self) -> None:
        """Stop the application, then the loop."""
        self._do(self._context.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A shop with goods that takes any number of orders from one address."""
    folder: Path = tmp_path_factory.mktemp("openapi")
    made = Settings(database_path=folder / "shop.sqlite3", checkouts_per_minute=100_000)
    asyncio.run(migrate(made))
    asyncio.run(seed.run(made, GOODS))
    shop = Running(made)
    yield shop
    shop.close()


def _document() -> dict[str, Any]:
    app: Any = create_app(Settings())._app
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    return document


DOCUMENT = _document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
FOUND: list[Any] = [each.ok() for each in SCHEMA.get_all_operations()]  # type: ignore[union-attr]
OPERATIONS = {operation.label: operation for operation in FOUND}


def _asked(case: Any) -> tuple[str, str, bytes, dict[str, str]]:
    """What a client would send for a case."""
    request = requests.Request(**case.as_transport_kwargs(base_url="http://shop")).prepare()
    body: Any = request.body or b""
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in request.headers.items()
    }
    return str(request.method), request.path_url, body if isinstance(body, bytes) else body.encode(), headers


@pytest.mark.slow
@pytest.mark.parametrize("label", OPERATIONS)
def test_nothing_that_the_document_describes_makes_it_fail(label: str, running: Running) -> None:
    operation = OPERATIONS[label]
    strategy = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    def never_fails(case: Any) -> None:
        method, path, body, headers = _asked(case)
        if len(body) % 2:  # else a key, which is seldom made up, keeps most of them out
            headers["Idempotency-Key"] = secrets.token_hex(16)
        answer = running.ask(method, path, body, headers)
        assert answer.status < 500, (answer.status, answer.body)
        if answer.status >= 400:
            assert answer.json["code"], "a refusal is a problem with a code"

    never_fails()


def test_every_operation_has_a_name_a_summary_and_an_example() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert operation["operationId"], (path, method)
            assert operation["summary"], (path, method)
    assert {"/api/v1/products", "/api/v1/cart", "/api/v1/orders", "/api/v1/waiting-room"} <= set(
        DOCUMENT["paths"]
    )
    assert "example" in str(DOCUMENT["paths"]["/api/v1/orders"])


def test_the_document_is_published(running: Running) -> None:
    answer = running.ask("GET", "/api/openapi.json")
    assert answer.status == 200
    assert answer.json["paths"].keys() == DOCUMENT["paths"].keys()
