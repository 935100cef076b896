"""Subscriptions, the notices that they get, and what was noticed of each race.

notices             what happened, as it is sent
notice_deliveries   the outbox: a row for each subscription that a notice is for
notice_marks        what was noticed of a race last: notices follow from the difference
notice_records      the best score of all public races that can be compared
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import COUNTER, METADATA

SUBSCRIPTIONS = sa.Table(
    "notice_subscriptions",
    METADATA,
    sa.Column("subscription_id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    # As it is: a signature is made with it each time. Shown once, when it is made.
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("kinds", sa.Text, nullable=False),
    sa.Column("race_id", sa.Text, nullable=False),  # "" and "": all public races
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("stopped", sa.Text, nullable=False),
    sa.Column("failing_since_utc_ns", sa.BigInteger),
)

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("race_id", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

DELIVERIES = sa.Table(
    "notice_deliveries",
    METADATA,
    sa.Column("subscription_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("last_utc_ns", sa.BigInteger),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Index("deliveries_that_wait", "state", "subscription_id", "seq"),
)

MARKS = sa.Table(
    "notice_marks",
    METADATA,
    sa.Column("race_id", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),
)

TRACK_RECORDS = sa.Table(
    "notice_records",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("score_ms", sa.BigInteger, nullable=False),
    sa.Column("race_id", sa.Text, nullable=False),
    sa.Column("racer", sa.Text, nullable=False),
)
