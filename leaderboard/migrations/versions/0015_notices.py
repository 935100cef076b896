"""Notices: subscriptions, what is sent to them, and what was noticed of each race."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "notice_subscriptions",
        sa.Column("subscription_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("url", "secret", "kinds", "race_id", "season_id", "owner")),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("stopped", sa.Text, nullable=False),
        sa.Column("failing_since_utc_ns", sa.BigInteger),
    )
    op.create_table(
        "notices",
        sa.Column("seq", counter, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("race_id", sa.Text, nullable=False),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "notice_deliveries",
        sa.Column("subscription_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("last_utc_ns", sa.BigInteger),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("deliveries_that_wait", "notice_deliveries", ["state", "subscription_id", "seq"])
    op.create_table(
        "notice_marks",
        sa.Column("race_id", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, nullable=False),
    )
    op.create_table(
        "notice_records",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("score_ms", sa.BigInteger, nullable=False),
        sa.Column("race_id", sa.Text, nullable=False),
        sa.Column("racer", sa.Text, nullable=False),
    )
