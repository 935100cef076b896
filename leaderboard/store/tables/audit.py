"""Every change by a person or a program: who, what, before, after, why. Rows are only added."""

import sqlalchemy as sa

from leaderboard.store.tables.base import COUNTER, METADATA

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
    sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),  # an account's id, "key:ID", "station:NAME", "admin", "system"
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),  # an action of core/access.py
    sa.Column("race_id", sa.Text, nullable=False),
    sa.Column("season_id", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # what was changed: "race:cup", "entry:cup/anna", "account:..."
    sa.Column("before", sa.Text, nullable=False),  # JSON of the fields that changed
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Index("audit_of_race", "race_id", "seq"),
)
