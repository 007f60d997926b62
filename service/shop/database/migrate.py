"""Brings the schema up to date: `shop migrate`, the only code that needs the right to change it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from shop.database.engine import create_engine
from shop.settings import Settings

HERE = Path(__file__).parent / "migrations"
LOCK = 4_115_730  # any number that nobody else takes
GRANTS = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_app') THEN
    GRANT USAGE ON SCHEMA public TO shop_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app;
    REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM shop_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO shop_app;
  END IF;
END $$
"""
"""Members of the role `shop_app` serve the shop: they read and write rows, and change no schema."""


async def migrate(settings: Settings) -> None:
    """Upgrade to the newest schema. Two at once wait for each other; a repeat changes nothing."""
    engine = create_engine(settings)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def configuration() -> Config:
    """Alembic's, for this package."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config


def _upgrade(connection: Connection) -> None:
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if on_postgresql:
        connection.execute(text(GRANTS))
