"""Alembic's entry point: migrates the connection that `province.store` hands over, inside its transaction."""

from alembic import context

from province.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
