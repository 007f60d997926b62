"""Keys and certificates of a control plane, by the `openssl` command (3.0 or newer)."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DAYS = "2"
SERVICE_IP = "10.0.0.1"
"""The first address of the service network, which the apiserver's certificate must name."""

FRONT_PROXY = "front-proxy"
"""The common name that servers of aggregated APIs are to accept."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Pki:
    """Everything that a control plane authenticates with. `service_accounts` is the key that signs tokens.

    `front_proxy` is what the apiserver shows to servers of aggregated APIs.
    """

    ca: Pair
    server: Pair
    admin: Pair
    front_proxy: Pair
    service_accounts: Path
    service_accounts_public: Path


def make_pki(folder: Path) -> Pki:
    """A new CA in `folder`, a server certificate for 127.0.0.1, a client certificate of `system:masters`."""
    ca = _pair(folder, "ca")
    _request(ca, "/CN=test-ca", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    server = _pair(folder, "apiserver")
    names = f"IP:127.0.0.1,IP:{SERVICE_IP},DNS:localhost,DNS:kubernetes.default.svc"
    _request(server, "/CN=kube-apiserver", f"subjectAltName={names}", "extendedKeyUsage=serverAuth", ca=ca)
    admin = _pair(folder, "admin")
    _request(admin, "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth", ca=ca)
    front_proxy = _pair(folder, FRONT_PROXY)
    _request(front_proxy, f"/CN={FRONT_PROXY}", "extendedKeyUsage=clientAuth", ca=ca)
    private, public = folder / "service-accounts.key", folder / "service-accounts.pub"
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private)
    _openssl("pkey", "-in", private, "-pubout", "-out", public)
    return Pki(ca, server, admin, front_proxy, private, public)


def _pair(folder: Path, name: str) -> Pair:
    return Pair(folder / f"{name}.crt", folder / f"{name}.key")


def _request(pair: Pair, subject: str, *extensions: str, ca: Pair | None = None) -> None:
    signed_by = ("-CA", ca.certificate, "-CAkey", ca.key) if ca else ()
    added = [part for extension in extensions for part in ("-addext", extension)]
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    out = ("-out", pair.certificate, "-keyout", pair.key)
    _openssl("req", "-x509", *key, "-days", DAYS, "-subj", subject, *added, *signed_by, *out)


def _openssl(*arguments: str | Path) -> None:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
