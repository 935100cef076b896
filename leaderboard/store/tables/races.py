"""Races with their editions, entries, and each racer's spelling.

racers    of each race and racer the spelling that came first; others are the same racer by their key
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

RACES = sa.Table(
    "races",
    METADATA,
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
    # Counts every change that a page shows; `undo` holds the lines as they stood before the last one (for the arrows).
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("undo", sa.Text, nullable=False),
    sa.Column("results", sa.BigInteger, nullable=False, server_default="0"),  # how many revisions were accepted
    sa.Column("made_by", sa.Text, nullable=False, server_default=""),
    sa.Column("stage", sa.Text, nullable=False, server_default="published"),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    sa.Column("season_id", sa.Text, nullable=False, server_default=""),
    sa.Column("event_id", sa.Text, nullable=False, server_default=""),
    sa.Column("series_id", sa.Text, nullable=False, server_default=""),
    sa.Column("race_type", sa.Text, nullable=False, server_default="time_trial"),
    sa.Column("direction", sa.Text, nullable=False, server_default="counterclockwise"),
    sa.Column("visibility", sa.Text, nullable=False, server_default="public"),
    sa.Column("live", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("one_table", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("zone", sa.Text, nullable=False, server_default="UTC"),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("picture_sha256", sa.Text, nullable=False, server_default=""),
    sa.Column("conditions_sha256", sa.Text, nullable=False, server_default=""),
    sa.Column("attempts_per_day", sa.Integer),
    sa.Column("in_work_per_racer", sa.Integer),
    sa.Column("division", sa.Text, nullable=False, server_default=""),
    sa.Column("deleted_utc_ns", sa.BigInteger),
    sa.Column("edition", sa.Integer, nullable=False, server_default="1"),
    sa.Column("stage_before", sa.Text, nullable=False, server_default=""),  # of a deleted race: what it is restored to
    sa.Index("races_of_season", "season_id"),
    sa.Index("races_of_series", "series_id"),
)

# Each edition of a race's settings as JSON, with who made it and why.
RACE_VERSIONS = sa.Table(
    "race_versions",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("edition", sa.Integer, primary_key=True),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("racer", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("entered_utc_ns", sa.BigInteger, nullable=False),
    # "" where a racer was registered without an account.
    sa.Column("account_id", sa.Text, nullable=False, server_default=""),
    sa.Column("state", sa.Text, nullable=False, server_default="entered"),
    sa.Column("division", sa.Text, nullable=False, server_default=""),
    sa.Column("team", sa.Text, nullable=False, server_default=""),
    sa.Column("joined_by", sa.Text, nullable=False, server_default=""),  # "link", "alias" (invited), "self", "official"
    sa.Column("state_before", sa.Text, nullable=False, server_default=""),  # of a removed one: what undo gives back
    sa.Index("entries_of_account", "account_id"),
)

RACERS = sa.Table(
    "racers",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    # Of the key, which has no bound that an index could take.
    sa.Column("key_sha256", sa.Text, primary_key=True),
    sa.Column("racer", sa.Text, nullable=False),
    # Of a deleted account: the key that it had, so that corrections of its results still find them. Else "".
    sa.Column("former_sha256", sa.Text, nullable=False, server_default=""),
)
