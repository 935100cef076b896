"""A result knows whether officials took its run out: such a run is no attempt of the racer's any more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("results", sa.Column("discarded", sa.Boolean, nullable=False, server_default=sa.false()))
