"""Heats in LIVE races: turns of two racers, who won, and of which bracket they are."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("rival", "rival_name", "rival_account_id", "rival_submission_id", "ahead", "bracket_id"):
        op.add_column("live_queue", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("live_queue", sa.Column("rival_speed_percent", sa.Integer, nullable=False, server_default="100"))
    op.add_column("live_queue", sa.Column("heat", sa.Integer, nullable=False, server_default="0"))
