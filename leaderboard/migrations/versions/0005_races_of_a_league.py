"""Races know their season, owner, stage and visibility; entries their account; results their kind and state; audit."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TEXTS = {
    "stage": "published",
    "owner": "",
    "season_id": "",
    "event_id": "",
    "series_id": "",
    "race_type": "time_trial",
    "direction": "counterclockwise",
    "visibility": "public",
    "zone": "UTC",
    "description": "",
    "picture_sha256": "",
    "conditions_sha256": "",
}
_ENTRY_TEXTS = {"account_id": "", "state": "entered", "division": "", "team": "", "joined_by": ""}


def upgrade() -> None:
    for name, default in _TEXTS.items():
        op.add_column("races", sa.Column(name, sa.Text, nullable=False, server_default=default))
    for name in ("live", "one_table"):
        op.add_column("races", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("attempts_per_day", "in_work_per_racer"):
        op.add_column("races", sa.Column(name, sa.Integer))
    op.add_column("races", sa.Column("deleted_utc_ns", sa.BigInteger))
    op.add_column("races", sa.Column("edition", sa.Integer, nullable=False, server_default="1"))
    op.create_index("races_of_season", "races", ["season_id"])
    for name, default in _ENTRY_TEXTS.items():
        op.add_column("entries", sa.Column(name, sa.Text, nullable=False, server_default=default))
    op.create_index("entries_of_account", "entries", ["account_id"])
    for name, default in {"kind": "physical", "state": "ranked", "reason": ""}.items():
        op.add_column("results", sa.Column(name, sa.Text, nullable=False, server_default=default))
    op.create_table(
        "race_versions",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit",
        sa.Column("seq", counter, primary_key=True, autoincrement=True),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _AUDIT),
    )
    op.create_index("audit_of_race", "audit", ["race_id", "seq"])
    _fill()


_AUDIT = ("actor", "actor_name", "what", "race_id", "season_id", "subject", "before", "after", "why")


def _fill() -> None:
    """What stored results say of themselves: their kind, and that a correction to no score withdrew them."""
    db = op.get_bind()
    virtual = sa.text(
        "UPDATE results SET kind = 'virtual' WHERE race_id IN (SELECT race_id FROM races WHERE venue = 'virtual')"
    )
    db.execute(virtual)
    db.execute(sa.text("UPDATE results SET state = 'withdrawn' WHERE score_ms IS NULL"))
