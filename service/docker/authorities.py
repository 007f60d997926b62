"""Checks a bundle of certificate authorities: `authorities.py FILE SHA256`; status 1 where it is another."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from cryptography import x509


def mistakes(content: bytes, checksum: str) -> list[str]:
    """What is wrong with a PEM bundle of which `checksum` (SHA-256, hexadecimal) is expected."""
    actual = hashlib.sha256(content).hexdigest()
    if actual != checksum:
        return [f"its SHA-256 is {actual}, expected was {checksum or 'none: give RDS_BUNDLE_SHA256'}"]
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        return [f"no certificates: {error}"]
    return [
        f"{certificate.subject.rfc4514_string()} is no authority"
        for certificate in certificates
        if not _is_authority(certificate)
    ]


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


if __name__ == "__main__":
    file, wanted = sys.argv[1:]
    found = mistakes(Path(file).read_bytes(), wanted)
    sys.exit("\n".join(f"{file}: {mistake}" for mistake in found) or 0)
