"""What people decide in a season beside its rules, and what follows from final races: divisions, teams, brackets.

divisions  every move of a racer from one division to another: after a race, or ("" for the race) by a person
members    a racer of a season, by the key of the name: region, category, team
heats      every result of a heat; one that was taken back, because the heat is run again, stays
Points and records are stored nowhere: they follow from the lines of the races.
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import COUNTER, METADATA

DIVISIONS = sa.Table(
    "divisions",
    METADATA,
    sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("key_sha256", sa.Text, nullable=False),
    sa.Column("racer", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("race_id", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("divisions_of_racer", "season_id", "key_sha256", "seq"),
)

TEAMS = sa.Table(
    "teams",
    METADATA,
    sa.Column("team_id", sa.Text, primary_key=True),
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key_sha256", sa.Text, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("season_id", "key_sha256", name="one_team_of_a_name"),
)

MEMBERS = sa.Table(
    "members",
    METADATA,
    sa.Column("season_id", sa.Text, primary_key=True),
    sa.Column("key_sha256", sa.Text, primary_key=True),
    sa.Column("racer", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("team_id", sa.Text, nullable=False),
    sa.Index("members_of_team", "team_id"),
)

BRACKETS = sa.Table(
    "brackets",
    METADATA,
    sa.Column("bracket_id", sa.Text, primary_key=True),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),  # that it is seeded from
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),  # BracketSettings of core/bracket.py, as JSON
    sa.Column("seeds", sa.Text, nullable=False),  # the racers in the order of their seeds, as JSON
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("brackets_of_race", "race_id"),
    sa.Index("brackets_of_season", "season_id"),
)

HEATS = sa.Table(
    "heats",
    METADATA,
    sa.Column("bracket_id", sa.Text, sa.ForeignKey("brackets.bracket_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),  # counts from 1 with each time that the heat is run
    sa.Column("winner", sa.Text, nullable=False),
    sa.Column("first_score_ms", sa.BigInteger),
    sa.Column("second_score_ms", sa.BigInteger),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("taken_back", sa.Boolean, nullable=False),
)
