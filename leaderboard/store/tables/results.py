"""Results, the lines that standings are read from, and receipts of posts.

results   every accepted revision, as it was posted, with its score by the rules of its race; never deleted
lines     each racer's best in each table of a race, derived from `results` in the same transaction: what a standing is
          read from
receipts  webhook-id, hash of the body and the answer: a repeat gets the same answer and has no effect
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import COUNTER, METADATA

RESULTS = sa.Table(
    "results",
    METADATA,
    sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
    sa.Column("result_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("racer", sa.Text, nullable=False),
    sa.Column("score_ms", sa.BigInteger),
    sa.Column("finished_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("uncertainty_ns", sa.BigInteger, nullable=False),
    sa.Column("accepted_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("discarded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("kind", sa.Text, nullable=False, server_default="physical"),
    # How the newest revision stands among the racer's attempts (AttemptState of core/states.py); derived, as lines are.
    sa.Column("state", sa.Text, nullable=False, server_default="ranked"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    # How the revision stands by itself: before quotas and rulings.
    sa.Column("verdict", sa.Text, nullable=False, server_default="ranked"),
    sa.Column("verdict_reason", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("result_id", "revision", name="one_row_per_revision"),
    sa.Index("results_of_race", "race_id", "seq"),
    sa.Index("results_of_racer", "race_id", "racer"),
)

LINES = sa.Table(
    "lines",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    # The table that the line is ranked in (RaceRecord.tables): of a kind of results, or "any" for one of all.
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("racer", sa.Text, primary_key=True),
    sa.Column("score_ms", sa.BigInteger, nullable=False),
    sa.Column("set_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("order", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # The name that the standing shows, as it is searched for (core/search.py).
    sa.Column(
        "folded", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False, server_default=""
    ),
    sa.Index("lines_by_name", "race_id", "kind", "folded"),
    sa.Index("lines_in_rank", "race_id", "kind", "score_ms", "set_utc_ns", "order"),
)

RECEIPTS = sa.Table(
    "receipts",
    METADATA,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("body_sha256", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
)
