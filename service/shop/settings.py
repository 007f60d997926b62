"""Settings are environment variables `SHOP_*`; docs/service-contract.md has the whole list.

All have a default that suits a laptop. What is secret comes as a file, named by a variable ending in `_FILE`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shop.secret_file import SecretFile

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PROVIDERS = ("cod", "bkash", "nagad", "sslcommerz")
ONLINE = PROVIDERS[1:]
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """The environment can not be used; the text has a line for each variable that is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between two running shops."""

    environment: str = "laptop"
    public_url: str = "http://127.0.0.1:8000"
    payments: tuple[str, ...] = ("cod",)
    database_path: Path = Path("shop.sqlite3")
    database_url_file: SecretFile | None = None
    database_ca_file: Path | None = None
    database_pool_size: int = 4
    ticket_key_file: SecretFile | None = None
    session_key_file: SecretFile | None = None
    bkash_file: SecretFile | None = None
    nagad_file: SecretFile | None = None
    sslcommerz_file: SecretFile | None = None
    drain_seconds: float = 35.0
    log_level: str = "info"
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 9000
    trusted_proxies: tuple[Network, ...] = field(
        default=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    )
    checkouts_per_minute: int = 30
    orders_per_second: float = 0.0  # the waiting room's pace; 0: as many as the shop can take
    reservation_minutes: float = 15.0
    web_root: Path | None = None  # storefront served by the shop itself: a laptop has no nginx
    otlp_endpoint: str = ""  # OpenTelemetry traces go there; empty: none are made

    @property
    def on_postgresql(self) -> bool:
        """Whether there is a database server; else SQLite."""
        return self.database_url_file is not None

    @property
    def online_payments(self) -> tuple[str, ...]:
        """Ways to pay that need a provider's gateway."""
        return tuple(name for name in self.payments if name != "cod")


def load(environment: Mapping[str, str]) -> Settings:
    """Settings of `SHOP_*` in `environment`. SettingsError names everything that is wrong, at once."""
    known = {f"SHOP_{each.name.upper()}": each.name for each in fields(Settings)}
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for variable, text in sorted(environment.items()):
        if not variable.startswith("SHOP_"):
            continue
        if variable not in known:
            wrong.append(f"{variable}: there is no such setting")
            continue
        name = known[variable]
        try:
            values[name] = _PARSERS.get(name, str)(text)
        except ValueError as error:
            wrong.append(f"{variable}: {error}")
    if not wrong:
        wrong = _contradictions(settings := Settings(**values))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def check_serving(settings: Settings) -> None:
    """What serving needs and no other command: keys that all pods share. SettingsError without."""
    if not settings.on_postgresql or settings.environment == "laptop":
        return
    missing = [
        f"SHOP_{name.upper()}: missing; only a laptop may make up a key"
        for name in ("ticket_key_file", "session_key_file")
        if getattr(settings, name) is None
    ]
    if missing:
        raise SettingsError("\n".join(missing))


def _contradictions(settings: Settings) -> list[str]:
    wrong = []
    for provider in ONLINE:
        named, given = provider in settings.payments, getattr(settings, f"{provider}_file") is not None
        variable = f"SHOP_{provider.upper()}_FILE"
        if named and not given:
            wrong.append(f"{variable}: missing, SHOP_PAYMENTS names {provider}; or take it out there")
        if given and not named:
            wrong.append(f"{variable}: set, but SHOP_PAYMENTS does not name {provider}")
    return wrong


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
        raise ValueError(f"`{text}` is no address such as https://shop.example, without a slash at the end")
    return text


def _payments(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise ValueError("empty: name at least one way to pay, for example cod")
    for name in names:
        if name not in PROVIDERS:
            raise ValueError(f"`{name}` is no way to pay: there are {', '.join(PROVIDERS)}")
    if len(set(names)) != len(names):
        raise ValueError(f"`{text}` names one twice")
    return names


def _secret(text: str) -> SecretFile:
    return SecretFile(_file(text))


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {text}")
    return path


def _new_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"{text} can not be a file: name one in a folder that exists")
    return path


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError(f"there is no folder {text}")
    return path


def _level(text: str) -> str:
    if text not in LOG_LEVELS:
        raise ValueError(f"`{text}` is none of {', '.join(LOG_LEVELS)}")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; for example 10.30.0.0/16,127.0.0.0/8") from None


def _number(kind: type[int | float], low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"`{text}` is no number from {low:g} to {high:g}") from None
        if not low <= value <= high:  # also refuses nan
            raise ValueError(f"{text} is not from {low:g} to {high:g}")
        return value

    return parse


_PARSERS: dict[str, Callable[[str], Any]] = {
    "public_url": _url,
    "payments": _payments,
    "database_path": _new_file,
    "database_url_file": _secret,
    "database_ca_file": _file,
    "database_pool_size": _number(int, 1, 50),
    "ticket_key_file": _secret,
    "session_key_file": _secret,
    "bkash_file": _secret,
    "nagad_file": _secret,
    "sslcommerz_file": _secret,
    "drain_seconds": _number(float, 0, 300),
    "log_level": _level,
    "port": _number(int, 0, 65_535),
    "metrics_port": _number(int, 0, 65_535),
    "trusted_proxies": _networks,
    "checkouts_per_minute": _number(int, 1, 100_000),
    "orders_per_second": _number(float, 0, 100_000),
    "reservation_minutes": _number(float, 0.01, 24 * 60),
    "web_root": _folder,
}
