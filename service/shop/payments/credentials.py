"""Credentials of the providers: JSON in a file, with the address, so that a sandbox differs only there."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from shop.secret_file import SecretFile

Text = Annotated[str, Meta(min_length=1, max_length=8192)]


class ProviderCredentials(msgspec.Struct, frozen=True):
    """What every provider has: where it is."""

    base_url: Text


class BkashCredentials(ProviderCredentials, frozen=True):
    """`base_url` ends with the version: `https://tokenized.pay.bka.sh/v1.2.0-beta`."""

    app_key: Text
    app_secret: Text
    username: Text
    password: Text


class NagadCredentials(ProviderCredentials, frozen=True):
    """Keys are PEM, or only its base64 part, as the merchant's portal gives them."""

    merchant_id: Text
    merchant_number: Text
    gateway_public_key: Text
    merchant_private_key: Text


class SslcommerzCredentials(ProviderCredentials, frozen=True):
    """`https://securepay.sslcommerz.com` or the sandbox's, and the store's name and password."""

    store_id: Text
    store_password: Text


T = TypeVar("T", bound=ProviderCredentials)


class Credentials(Generic[T]):
    """Credentials of a file that may be replaced while the process runs."""

    def __init__(self, file: SecretFile, kind: type[T]) -> None:
        self._file = file
        self._kind = kind
        self._text = ""
        self._value: T | None = None

    def read(self) -> T:
        """Those in force. ValueError says what is wrong with the file, and never what is in it."""
        text = self._file.read()
        if self._value is None or text != self._text:
            self._value, self._text = self._decode(text), text
        return self._value

    def _decode(self, text: str) -> T:
        try:
            value = msgspec.json.decode(text, type=self._kind)
        except msgspec.DecodeError as error:
            wanted = ", ".join(self._kind.__struct_fields__)
            raise ValueError(f"{self._file.path}: {error}; it takes JSON with {wanted}") from None
        if not _is_safe(value.base_url):
            raise ValueError(f"{self._file.path}: base_url must be https:// and end without a slash")
        return value


def _is_safe(url: str) -> bool:
    """TLS, but for a gateway on the same machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or url.endswith("/") or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
