"""Submissions of models to races, and every state that each has had.

submissions        as each stands now
submission_states  what was: rows are only added
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import COUNTER, METADATA

SUBMISSIONS = sa.Table(
    "submissions",
    METADATA,
    sa.Column("number", COUNTER, primary_key=True, autoincrement=True),
    sa.Column("submission_id", sa.Text, nullable=False, unique=True),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("racer", sa.Text, nullable=False),
    sa.Column("model_sha256", sa.Text, nullable=False),
    sa.Column("model_name", sa.Text, nullable=False),
    sa.Column("checkpoint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("state_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("submitted_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("queued_utc_ns", sa.BigInteger),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),  # the sender's own; "" without one
    sa.Index("submissions_of_racer", "race_id", "account_id"),
    sa.Index("submissions_by_state", "state", "queued_utc_ns"),
    sa.Index("submissions_in_line", "state", "race_id", "account_id", "queued_utc_ns", "number"),  # store/evaluations
    sa.Index("submissions_of_model", "account_id", "model_sha256"),
)

SUBMISSION_STATES = sa.Table(
    "submission_states",
    METADATA,
    sa.Column("submission_id", sa.Text, sa.ForeignKey("submissions.submission_id"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)
