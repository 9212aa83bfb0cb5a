"""Alembic's entry: runs the versions in one transaction on the connection that `callserver.store.upgrade` gives."""

from alembic import context

from callserver.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
