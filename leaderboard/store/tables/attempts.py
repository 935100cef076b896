"""What officials decided about attempts; the state of an attempt follows from it (core/attempts.py).

disqualified_attempts  by result, whatever its revisions say; a restored one has no row, the audit tells of both
attempts_given_back    by racer, table and day of the race's zone: how many more count than the race's quotas say
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

DISQUALIFIED_ATTEMPTS = sa.Table(
    "disqualified_attempts",
    METADATA,
    sa.Column("result_id", sa.Text, primary_key=True),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
)

GIVEN_BACK = sa.Table(
    "attempts_given_back",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # the table, as of lines
    sa.Column("racer", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
)
