"""Runs the migrations on the connection that the store hands over; it owns the transaction."""

from alembic import context

from kiosk.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
