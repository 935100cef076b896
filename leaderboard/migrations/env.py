"""Alembic's door: runs the steps on the connection that the store hands in."""

from alembic import context

from leaderboard.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
