"""LIVE races: what the session of a race is set to, and its queue. What happens on the track now is not stored."""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

LIVE_SESSIONS = sa.Table(
    "live_sessions",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("entries_open", sa.Boolean, nullable=False),
    sa.Column("run_time_s", sa.Integer, nullable=False),
    sa.Column("winner", sa.Text, nullable=False),
    sa.Column("winner_utc_ns", sa.BigInteger),
)

LIVE_QUEUE = sa.Table(
    "live_queue",
    METADATA,
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("racer", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("key", sa.BigInteger, nullable=False),  # orders the queue, with room between two
    sa.Column("state", sa.Text, nullable=False),  # QueueState of core/live/queue.py
    sa.Column("launched_utc_ns", sa.BigInteger),
    sa.Column("ended_utc_ns", sa.BigInteger),
    sa.Column("run_time_s", sa.Integer, nullable=False),
    sa.Column("speed_percent", sa.Integer, nullable=False),
    sa.Column("launches", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("driver", sa.Text, nullable=False, server_default=""),  # the node that drives it in the simulator
    sa.Column("submission_id", sa.Text, nullable=False, server_default=""),  # whose model it drives
    sa.Column("rival", sa.Text, nullable=False, server_default=""),  # of a heat: the other racer
    sa.Column("rival_name", sa.Text, nullable=False, server_default=""),
    sa.Column("rival_account_id", sa.Text, nullable=False, server_default=""),
    sa.Column("rival_speed_percent", sa.Integer, nullable=False, server_default="100"),
    sa.Column("rival_submission_id", sa.Text, nullable=False, server_default=""),
    sa.Column("ahead", sa.Text, nullable=False, server_default=""),  # the racer who won it
    sa.Column("bracket_id", sa.Text, nullable=False, server_default=""),  # whose heat it is
    sa.Column("heat", sa.Integer, nullable=False, server_default="0"),
    sa.Index("live_queue_of_race", "race_id", "key"),
)
