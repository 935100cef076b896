"""LIVE races have a session and a queue."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_sessions",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("entries_open", sa.Boolean, nullable=False),
        sa.Column("run_time_s", sa.Integer, nullable=False),
        sa.Column("winner", sa.Text, nullable=False),
        sa.Column("winner_utc_ns", sa.BigInteger),
    )
    op.create_table(
        "live_queue",
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        sa.Column("racer", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("key", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("launched_utc_ns", sa.BigInteger),
        sa.Column("ended_utc_ns", sa.BigInteger),
        sa.Column("run_time_s", sa.Integer, nullable=False),
        sa.Column("speed_percent", sa.Integer, nullable=False),
        sa.Column("launches", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("live_queue_of_race", "live_queue", ["race_id", "key"])
