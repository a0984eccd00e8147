"""Alembic's entry: the connection comes from `handoff_sync.store.migrate`, with its transaction already begun."""

from alembic import context

from handoff_sync.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
