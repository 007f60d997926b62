"""A moto server in AWS' place: one process an account, on a free port, ended by its own id."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import boto3  # type: ignore[import-untyped]

from verify.tree import Stack

SETTINGS = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_ACM_VALIDATION_WAIT": "1"}
"""moto knows AWS' own policies, and takes a certificate's proof after a second instead of a minute."""
REGION = "ap-southeast-1"
ATTEMPTS = 4
"""A connection may break off on a busy machine. What moto does not know it answers with status 500, for which
the provider's own count would take minutes."""
PATIENCE = 60
"""Seconds that the server may take to answer."""


@dataclass(frozen=True, slots=True)
class Moto:
    """A server that answers for one account."""

    address: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """A process' variables with which the SDKs of AWS talk to it alone, whatever the machine has."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **own,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def moto(account: str) -> Iterator[Moto]:
    """A server for this account, empty, until the block ends."""
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("moto_server")
    process = subprocess.Popen(  # noqa: S603 -- our own arguments
        [program, "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, **SETTINGS, "MOTO_ACCOUNT_ID": account},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/moto-api/data.json", process)
        yield Moto(address, process.pid)
    finally:
        process.kill()  # it holds nothing that is worth a farewell
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 -- our own server
                answer.read()
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("moto_server does not answer") from error
            time.sleep(0.1)


def override(stack: Stack, *, local: bool = False) -> dict[str, Any]:
    """What must differ for a server without a host name for each bucket; a file beside the stack.

    With `local` the stack's own state is a file: there is no bucket yet.
    """
    backend = {"local": {}} if local else {"s3": _by_path(stack["terraform"]["backend"]["s3"])}
    states: Mapping[str, Any] = stack.get("data", {}).get("terraform_remote_state", {})
    made: dict[str, Any] = {
        "terraform": {"backend": backend},
        "provider": {"aws": {"s3_use_path_style": True, "max_retries": ATTEMPTS}},
    }
    if states:
        config = {name: {"config": _by_path(state["config"])} for name, state in states.items()}
        made["data"] = {"terraform_remote_state": config}
    return made


def _by_path(backend: Mapping[str, Any]) -> dict[str, Any]:
    return {**backend, "use_path_style": True, "skip_s3_checksum": True}


def prepare(server: Moto, stacks: Iterable[Stack]) -> None:
    """What a person makes before the first apply: the zones that stacks look up by name."""
    zones = (stack.get("data", {}).get("aws_route53_zone", {}).values() for stack in stacks)
    for name in {zone["name"] for found in zones for zone in found}:
        _client(server, "route53").create_hosted_zone(Name=name, CallerReference=name)


def make_bucket(server: Moto, stack: Stack) -> None:
    """The bucket of the stack's state, where no stack makes it."""
    backend = stack["terraform"]["backend"]["s3"]
    _client(server, "s3").create_bucket(
        Bucket=backend["bucket"], CreateBucketConfiguration={"LocationConstraint": backend["region"]}
    )


def _client(server: Moto, service: str) -> Any:
    session = boto3.Session("test", "test", region_name=REGION)
    return session.client(service, endpoint_url=server.address)
