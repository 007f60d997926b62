"""Alembic's environment: migrations run on the connection that `shop.database.migrate` opened."""

from alembic import context

from shop.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
