"""What exact ranks are read from: how many lines there are, by score. Derived from `lines` in the same transaction.

boards        each table of a race: how many are ranked in it, and the width of its buckets
rank_buckets  lines by score: level 1 in buckets of that width, level 0 in buckets of SPAN such ones (store/ranks.py)
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

BOARDS = sa.Table(
    "boards",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("width_ms", sa.BigInteger, nullable=False),
    sa.Column("ranked", sa.BigInteger, nullable=False),
)

RANK_BUCKETS = sa.Table(
    "rank_buckets",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("bucket", sa.BigInteger, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
