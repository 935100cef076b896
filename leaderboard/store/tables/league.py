"""Seasons, events, series of races, pictures, and what waits for a second official.

blobs     pictures by the SHA-256 of their bytes: written once, never changed
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

SEASONS = sa.Table(
    "seasons",
    METADATA,
    sa.Column("season_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),  # SeasonStage of core/league/records.py
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("starts_utc_ns", sa.BigInteger),
    sa.Column("ends_utc_ns", sa.BigInteger),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("picture_sha256", sa.Text, nullable=False),
    sa.Column("second_official", sa.Boolean, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),  # how its standing is made, as JSON
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
)

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("circuit", sa.Text, nullable=False),
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("starts_utc_ns", sa.BigInteger),
    sa.Column("ends_utc_ns", sa.BigInteger),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("events_of_season", "season_id"),
)

SERIES = sa.Table(
    "series",
    METADATA,
    sa.Column("series_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_pattern", sa.Text, nullable=False),
    sa.Column("template", sa.Text, nullable=False),  # the settings of its races, as JSON
    sa.Column("rule", sa.Text, nullable=False),  # CalendarRule, as JSON
    sa.Column("next_number", sa.Integer, nullable=False),
    sa.Column("next_opens_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("due_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("stopped", sa.Boolean, nullable=False),
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
)

BLOBS = sa.Table(
    "blobs",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
)

# The first official's wish to unlock final results, where the season wants two.
UNLOCK_REQUESTS = sa.Table(
    "unlock_requests",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
)
