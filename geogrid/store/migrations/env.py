"""Run the steps on the connection, and in the transaction, that the store gives."""

from __future__ import annotations

from alembic import context

from geogrid.store._schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # All steps succeed or none does; SQLite can do this too.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
