"""The migrations make exactly the tables that the code means, on both databases."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shop.database.migrate import migrate
from shop.database.tables import metadata
from shop.settings import Settings


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_the_schema_is_what_the_models_say(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_second_migration_changes_nothing(settings: Settings, engine: AsyncEngine) -> None:
    await migrate(settings)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT version FROM catalogue_version"))).scalars().all() == [
            1
        ]
