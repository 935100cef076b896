"""Videos of runs in virtual races."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_videos",
        sa.Column("trace_sha256", sa.Text, primary_key=True),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("conditions_sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("claim_id", sa.Text, nullable=False),
        sa.Column("farm", sa.Text, nullable=False),
        sa.Column("until_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("file", sa.LargeBinary),
    )
    op.create_index("videos_by_state", "run_videos", ["state", "asked_utc_ns"])
