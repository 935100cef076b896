"""Alembic's entry point: runs the migrations on the connection that the store passes."""

from alembic import context

from leaderboard.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
