"""Traces of runs in virtual races."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_traces",
        sa.Column("trace_sha256", sa.Text, primary_key=True),
        sa.Column("file", sa.LargeBinary, nullable=False),
        sa.Column("kept_utc_ns", sa.BigInteger, nullable=False),
    )
