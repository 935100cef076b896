"""Races, entries, results, lines and receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "races",
        sa.Column("race_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("opens_utc_ns", sa.BigInteger),
        sa.Column("closes_utc_ns", sa.BigInteger),
        sa.Column("closed_utc_ns", sa.BigInteger),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("undo", sa.Text, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("racer", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("entered_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "results",
        sa.Column("seq", counter, primary_key=True, autoincrement=True),
        sa.Column("result_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        sa.Column("racer", sa.Text, nullable=False),
        sa.Column("score_ms", sa.BigInteger),
        sa.Column("finished_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("uncertainty_ns", sa.BigInteger, nullable=False),
        sa.Column("accepted_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("result_id", "revision", name="one_row_per_revision"),
    )
    op.create_index("results_of_race", "results", ["race_id", "seq"])
    op.create_index("results_of_racer", "results", ["race_id", "racer"])
    op.create_table(
        "lines",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("racer", sa.Text, primary_key=True),
        sa.Column("score_ms", sa.BigInteger, nullable=False),
        sa.Column("set_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("order", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("lines_in_rank", "lines", ["race_id", "score_ms", "set_utc_ns", "order"])
    op.create_table(
        "receipts",
        sa.Column("webhook_id", sa.Text, primary_key=True),
        sa.Column("body_sha256", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )
