"""Seasons, events, series, pictures; and to which stage a deleted race is restored."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("races", sa.Column("stage_before", sa.Text, nullable=False, server_default=""))
    op.create_index("races_of_series", "races", ["series_id"])
    op.create_table(
        "seasons",
        sa.Column("season_id", sa.Text, primary_key=True),
        *_texts("name", "stage", "zone"),
        *_window(),
        *_texts("description", "picture_sha256"),
        sa.Column("second_official", sa.Boolean, nullable=False),
        *_texts("settings"),
        *_counted(),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Text, primary_key=True),
        *_texts("name", "circuit", "season_id", "place", "zone"),
        *_window(),
        *_texts("description"),
        *_counted(),
    )
    op.create_index("events_of_season", "events", ["season_id"])
    op.create_table(
        "series",
        sa.Column("series_id", sa.Text, primary_key=True),
        *_texts("name", "name_pattern", "template", "rule"),
        sa.Column("next_number", sa.Integer, nullable=False),
        sa.Column("next_opens_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("due_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("stopped", sa.Boolean, nullable=False),
        *_counted(),
    )
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.Text, primary_key=True),
        *_texts("media_type"),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "unlock_requests",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        *_texts("actor", "why"),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _window() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger) for name in ("starts_utc_ns", "ends_utc_ns")]


def _counted() -> list[sa.Column[int]]:
    return [
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    ]
