"""Connections to PostgreSQL, with the address read anew for each: passwords rotate while the process runs."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import asyncpg

from shop.settings import Settings

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0


def dsn(settings: Settings) -> str:
    """The address in force, `postgresql://…`. ValueError where the file holds no such thing."""
    if settings.database_url_file is None:
        raise ValueError("SHOP_DATABASE_URL_FILE is not set")
    text = settings.database_url_file.fresh()
    if urlsplit(text).scheme not in ("postgresql", "postgres"):
        raise ValueError(f"{settings.database_url_file.path} holds no address postgresql://…")
    return text


def tls(settings: Settings) -> ssl.SSLContext | None:
    """Verified in full, the server's name too, where authorities are given."""
    if settings.database_ca_file is None:
        return None
    return ssl.create_default_context(cafile=str(settings.database_ca_file))


async def connect(settings: Settings) -> asyncpg.Connection:
    """A new connection. OSError, TimeoutError or asyncpg.PostgresError when it fails."""
    return await asyncpg.connect(
        dsn(settings),
        ssl=tls(settings),
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        server_settings={"application_name": "shop", "timezone": "UTC"},
    )
