"""The fake gateways as a process of their own, over real sockets."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shop.payments.credentials import Credentials, SslcommerzCredentials
from shop.payments.gateway import Gateway
from shop.payments.protocol import GatewayError, Purchase
from shop.payments.sslcommerz import Sslcommerz
from shop.secret_file import SecretFile
from tests.postgresql import free_port

CALLBACK = "http://127.0.0.1:8000/api/v1/payments/sslcommerz/callback"
PURCHASE = Purchase("7A00000001ABCDEFGH", "7A00000001", 896_000, "A", "01712345678", "B", "dhaka", "0.0.0.0")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[str]:
    """The address of a fake that runs, with its credentials in `tmp_path`."""
    port = free_port()
    command = [sys.executable, "-m", "shop.payments.fake", "--port", str(port), "--write", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            transport = httpx.HTTPTransport(retries=8)
            with httpx.Client(transport=transport, trust_env=False) as client:
                client.get(f"http://127.0.0.1:{port}/pay/none", timeout=20)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


async def test_a_session_opens_and_silence_ends(
    fake: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = Credentials(SecretFile(tmp_path / "sslcommerz.json"), SslcommerzCredentials)
    patient, hasty = Gateway(), Gateway(patience=0.5)
    begun = await Sslcommerz(credentials, patient, CALLBACK).begin(PURCHASE)
    assert begun.redirect_url == f"{fake}/pay/{begun.reference}"
    provider = Sslcommerz(credentials, hasty, CALLBACK)
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{fake}/control/sslcommerz.transactions/lost")
    with pytest.raises(GatewayError, match="in time"):
        await provider.settle(begun.reference, wanted=True)
    assert (
        await Sslcommerz(credentials, patient, CALLBACK).settle(begun.reference, wanted=True)
    ).state == "pending"
    await patient.close()
    await hasty.close()
    assert credentials.read().store_password not in caplog.text
