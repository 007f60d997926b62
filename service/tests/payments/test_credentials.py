"""Credentials that can not be used are said so at the start, without telling them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from shop.database.engine import create_engine, create_sessions
from shop.payments.fake import Gateways
from shop.payments.gateway import Gateway
from shop.payments.protocol import GatewayError, amount_in, amount_text
from shop.payments.service import Payments
from shop.settings import Settings, SettingsError
from tests.payments.conftest import ORIGIN, Counts, with_files

SECRET = "very-secret"


async def start(settings: Settings) -> None:
    """Start payments, and stop them."""
    engine = create_engine(settings)
    payments = Payments(settings, create_sessions(engine), Counts())
    try:
        await payments.start()
    finally:
        await payments.stop()
        await engine.dispose()


async def test_good_ones_are_taken(gateways: Gateways, tmp_path: Path) -> None:
    await start(with_files(Settings(database_path=tmp_path / "none"), gateways, tmp_path))


@pytest.mark.parametrize(
    ("provider", "change", "said"),
    [
        ("bkash", {"app_secret": None}, "app_secret"),
        ("bkash", {"app_key": 7}, "app_key"),
        ("sslcommerz", {"store_password": ""}, "store_password"),
        ("sslcommerz", {"base_url": "http://pay.example"}, "base_url must be https"),
        ("sslcommerz", {"base_url": "https://pay.example/"}, "base_url must be https"),
        ("sslcommerz", {"base_url": "https://user@pay.example"}, "base_url must be https"),
        ("sslcommerz", {"base_url": "http://[::1"}, "base_url must be https"),
        ("nagad", {"gateway_public_key": SECRET}, "gateway_public_key is no public key"),
        ("nagad", {"merchant_private_key": SECRET}, "merchant_private_key is no private key"),
    ],
)
async def test_wrong_ones_are_named_but_not_told(
    gateways: Gateways, tmp_path: Path, provider: str, change: dict[str, Any], said: str
) -> None:
    settings = with_files(Settings(database_path=tmp_path / "none"), gateways, tmp_path)
    content = gateways.credentials(provider, ORIGIN) | {"note": SECRET} | change
    file = tmp_path / f"{provider}.json"
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises(SettingsError, match=f"SHOP_{provider.upper()}_FILE: .*") as caught:
        await start(settings)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_a_file_that_is_no_json_is_said_so(gateways: Gateways, tmp_path: Path) -> None:
    settings = with_files(Settings(database_path=tmp_path / "none"), gateways, tmp_path)
    (tmp_path / "bkash.json").write_text(SECRET)
    with pytest.raises(SettingsError, match="it takes JSON with base_url, app_key") as caught:
        await start(settings)
    assert SECRET not in str(caught.value)


async def test_a_gateway_that_is_not_there_is_an_error_and_no_traceback() -> None:
    gateway = Gateway(patience=5.0)
    for url in ("http://127.0.0.1:1/", "http://[::1", "https://127.0.0.1:1/"):
        with pytest.raises(GatewayError):
            await gateway.ask("GET", url)
    await gateway.close()


async def test_certificates_are_verified_and_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    gateway = Gateway()
    assert not gateway._client._mounts
    transport = gateway._client._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    context = transport._pool._ssl_context
    assert context is not None
    assert context.check_hostname
    await gateway.close()


@pytest.mark.parametrize("poisha", [1, 100, 896_000, 123_456_789])
def test_amounts_go_there_and_back(poisha: int) -> None:
    assert amount_in({"amount": amount_text(poisha)}) == poisha


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "-1", "0", "1.001", None, [], "1e99"])
def test_what_is_no_amount_is_not_taken_for_one(text: object) -> None:
    with pytest.raises(GatewayError):
        amount_in({"amount": text})
