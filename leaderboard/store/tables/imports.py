"""Files that were imported, and what their rows said: evidence of published results, and what an export writes again.

imports        each file once a race: its hash, what it looked like, who brought it
imported_rows  of a published board each row's cells as in the file; `seq` is the result made of it
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

IMPORTS = sa.Table(
    "imports",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("format", sa.Text, nullable=False),  # "league", "drem" or "metrics"
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("heading", sa.Text, nullable=False),  # JSON of a board's column names; "" of other formats
    sa.Column("dialect", sa.Text, nullable=False),  # JSON of how the file separates and ends its rows; ""
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
)

IMPORTED_ROWS = sa.Table(
    "imported_rows",
    METADATA,
    sa.Column("race_id", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("place", sa.Integer),  # that it got when it was imported
    sa.Column("cells", sa.Text, nullable=False),  # JSON
    sa.ForeignKeyConstraint(("race_id", "sha256"), ("imports.race_id", "imports.sha256")),
)
