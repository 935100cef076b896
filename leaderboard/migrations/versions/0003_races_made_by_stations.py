"""A race knows the station that created it, which alone of all stations may change its rules; "" for the organiser's."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("races", sa.Column("made_by", sa.Text, nullable=False, server_default=""))
