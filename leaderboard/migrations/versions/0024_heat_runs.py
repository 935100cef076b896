"""Runs of heats that farms drove, with the traces of both cars."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heat_runs",
        sa.Column("bracket_id", sa.Text, sa.ForeignKey("brackets.bracket_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("front_side", sa.Integer, nullable=False),
        sa.Column("winner_side", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by_ms", sa.BigInteger),
        sa.Column("by_mm", sa.BigInteger),
        sa.Column("first_trace_sha256", sa.Text, nullable=False),
        sa.Column("second_trace_sha256", sa.Text, nullable=False),
    )
