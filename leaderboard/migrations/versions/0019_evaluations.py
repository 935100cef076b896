"""Evaluations of submissions: conditions, seeds of races, runs, claims, nodes of farms."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "conditions",
        sa.Column("sha256", sa.Text, primary_key=True),
        *_texts("document"),
        *_numbers("created_utc_ns"),
    )
    op.create_table(
        "virtual_races",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        *_texts("commitment", "drawn"),
        *_numbers("drawn_utc_ns"),
        sa.Column("node_class", sa.Text, nullable=False, server_default=""),
        sa.Column("told_utc_ns", sa.BigInteger),
        sa.Column("finals_utc_ns", sa.BigInteger),
    )
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.Text, primary_key=True),
        sa.Column("submission_id", sa.Text, sa.ForeignKey("submissions.submission_id"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        *_texts("repeats"),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        *_texts("account_id", "state"),
        *_numbers("seed"),
        *_texts("conditions_sha256"),
        *_numbers("queued_utc_ns"),
        sa.Column("attempt", sa.Integer, nullable=False),
        *_texts("apart_from", "node", "engine", "trace_sha256", "report"),
        *_numbers("cost_ms"),
        sa.Column("ended_utc_ns", sa.BigInteger),
        *_texts("reason"),
    )
    op.create_index("evaluations_of_submission", "evaluations", ["submission_id", "round"])
    op.create_index("evaluations_by_state", "evaluations", ["state", "race_id", "account_id", "queued_utc_ns"])
    op.create_index("evaluations_of_node", "evaluations", ["node", "ended_utc_ns"])
    op.create_index("evaluations_repeated", "evaluations", ["repeats"])
    op.create_table(
        "run_claims",
        sa.Column("claim_id", sa.Text, primary_key=True),
        sa.Column("evaluation_id", sa.Text, sa.ForeignKey("evaluations.evaluation_id"), nullable=False),
        *_texts("account_id", "farm", "node"),
        *_numbers("claimed_utc_ns", "until_utc_ns"),
        *_texts("state"),
        sa.Column("ended_utc_ns", sa.BigInteger),
        *_numbers("cost_ms"),
        *_texts("body_sha256"),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_index("claims_by_state", "run_claims", ["state", "until_utc_ns"])
    op.create_index("claims_of_evaluation", "run_claims", ["evaluation_id"])
    op.create_index("work_of_accounts", "run_claims", ["ended_utc_ns", "account_id", "cost_ms"])
    op.create_table(
        "farm_nodes",
        sa.Column("node", sa.Text, primary_key=True),
        *_texts("farm", "name", "node_class", "canary_sha256", "engine"),
        sa.Column("cores", sa.Integer, nullable=False),
        *_texts("state", "reason"),
        *_numbers("first_utc_ns", "seen_utc_ns", "evaluations", "repeated_at", "agreed_utc_ns", "cost_ms"),
    )
    op.create_index(
        "submissions_in_line", "submissions", ["state", "race_id", "account_id", "queued_utc_ns", "number"]
    )
