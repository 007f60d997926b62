"""The images: what hadolint says, and what docs/service-contract.md promises of them."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SERVICE = Path(__file__).parents[1]
DOCKERFILES = sorted((SERVICE / "docker").glob("*.Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")
MADE_BEFORE_THE_BUILD = {"docker/rds-global-bundle.pem"}

Instruction = tuple[str, str]


def instructions(dockerfile: Path) -> list[Instruction]:
    """(INSTRUCTION, the rest) of each, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


def last_stage(dockerfile: Path) -> list[Instruction]:
    """The instructions from the last FROM on: what becomes the image."""
    found = instructions(dockerfile)
    return found[max(index for index, (name, _) in enumerate(found) if name == "FROM") :]


def values(found: list[Instruction], name: str) -> list[str]:
    """What stands behind each instruction of that name."""
    return [rest for instruction, rest in found if instruction == name]


each_image = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)


def test_there_are_two_images() -> None:
    assert [path.stem for path in DOCKERFILES] == ["backend", "frontend"]


@each_image
def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    done = subprocess.run([HADOLINT, dockerfile], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@each_image
def test_the_user_is_that_of_the_contract_and_never_root(dockerfile: Path) -> None:
    assert values(last_stage(dockerfile), "USER") == ["10001:10001"]


@each_image
def test_every_base_is_an_argument_that_may_carry_a_digest(dockerfile: Path) -> None:
    found = instructions(dockerfile)
    bases = [re.sub(r"\s+AS\s+\w+$", "", rest) for rest in values(found, "FROM")]
    arguments = {rest.split("=", 1)[0] for rest in values(found, "ARG")}
    assert bases
    for base in bases:
        name = re.fullmatch(r"\$\{(\w+)\}", base)
        assert name, f"{base} is no argument"
        assert name[1] in arguments


@each_image
def test_the_image_is_a_stage_of_its_own_in_which_nothing_is_installed(dockerfile: Path) -> None:
    assert len(values(instructions(dockerfile), "FROM")) == 2
    assert values(last_stage(dockerfile), "RUN") == []


@each_image
def test_nothing_is_downloaded_but_packages_by_hash(dockerfile: Path) -> None:
    found = instructions(dockerfile)
    assert values(found, "ADD") == []
    for command in values(found, "RUN"):
        assert not re.search(r"\b(curl|wget|apt-get|apk|npm)\b", command)
        if "pip" in shlex.split(command):
            assert "--require-hashes" in command
            assert "--no-deps" in command


@each_image
def test_what_is_copied_exists_and_is_not_ignored(dockerfile: Path) -> None:
    for copied in values(instructions(dockerfile), "COPY"):
        if "--from=" in copied:
            continue
        sources = [part for part in shlex.split(copied)[:-1] if not part.startswith("--")]
        for source in sources:
            assert source in MADE_BEFORE_THE_BUILD or (SERVICE / source).exists(), source
            assert in_context(source), f"{source} is ignored"


def in_context(path: str) -> bool:
    """Whether .dockerignore lets `path` in; the last pattern that matches decides."""
    lines = (SERVICE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = True
    for pattern in (line for line in lines if line and not line.startswith("#")):
        name = pattern.removeprefix("!")
        if fnmatch.fnmatch(path, name) or fnmatch.fnmatch(path, f"{name}/*"):
            allowed = pattern.startswith("!")
    return allowed


@pytest.mark.parametrize("path", ["shop.sqlite3", ".venv/bin/python", "tests/conftest.py", "web/dist/x"])
def test_the_context_holds_nothing_else(path: str) -> None:
    assert not in_context(path)


@each_image
def test_no_secret_is_an_argument_or_a_layer(dockerfile: Path) -> None:
    names = " ".join(rest for name, rest in instructions(dockerfile) if name in ("ARG", "ENV"))
    assert not re.search(r"password|secret|token|(^|[ _])key", names, re.IGNORECASE)


@each_image
def test_labels_say_what_it_is(dockerfile: Path) -> None:
    labels = " ".join(values(last_stage(dockerfile), "LABEL"))
    for name in ("title", "description", "source", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


@pytest.mark.parametrize(
    ("name", "ports", "signal"), [("backend", "8000 9000", "SIGTERM"), ("frontend", "8080 9000", "SIGQUIT")]
)
def test_ports_and_signal_are_those_of_the_contract(name: str, ports: str, signal: str) -> None:
    found = last_stage(SERVICE / "docker" / f"{name}.Dockerfile")
    assert values(found, "EXPOSE") == [ports]
    assert values(found, "STOPSIGNAL") == [signal]


def test_the_backend_writes_no_compiled_module_and_serves_the_pods_address() -> None:
    environment = " ".join(values(last_stage(SERVICE / "docker" / "backend.Dockerfile"), "ENV"))
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "SHOP_HOST=0.0.0.0" in environment


Mistakes = Callable[[bytes, str], list[str]]


@pytest.fixture(scope="module")
def mistakes() -> Mistakes:
    """The build's check of the database's authorities."""
    specification = importlib.util.spec_from_file_location(
        "authorities", SERVICE / "docker" / "authorities.py"
    )
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    checked: Mistakes = module.mistakes
    return checked


def certificate(*, authority: bool) -> bytes:
    """A self-signed certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Amazon RDS, an example")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_bundle_of_authorities_with_its_checksum_is_taken(mistakes: Mistakes) -> None:
    bundle = certificate(authority=True) + certificate(authority=True)
    assert mistakes(bundle, hashlib.sha256(bundle).hexdigest()) == []


def test_another_bundle_than_the_reviewed_one_stops_the_build(mistakes: Mistakes) -> None:
    bundle = certificate(authority=True)
    assert "its SHA-256 is" in mistakes(bundle, "0" * 64)[0]
    assert "give RDS_BUNDLE_SHA256" in mistakes(bundle, "")[0]


@pytest.mark.parametrize(
    ("bundle", "text"), [(b"<html>", "no certificates"), (certificate(authority=False), "is no authority")]
)
def test_a_file_that_holds_no_authorities_stops_the_build(
    mistakes: Mistakes, bundle: bytes, text: str
) -> None:
    assert text in mistakes(bundle, hashlib.sha256(bundle).hexdigest())[0]
