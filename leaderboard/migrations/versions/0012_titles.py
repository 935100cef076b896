"""Divisions, teams, members, brackets and their heats; and which division a race is for."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    op.add_column("races", sa.Column("division", sa.Text, nullable=False, server_default=""))
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "divisions",
        sa.Column("seq", counter, primary_key=True, autoincrement=True),
        *_texts("season_id", "key_sha256", "racer", "before", "after", "race_id"),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("divisions_of_racer", "divisions", ["season_id", "key_sha256", "seq"])
    op.create_table(
        "teams",
        sa.Column("team_id", sa.Text, primary_key=True),
        *_texts("season_id", "name", "key_sha256"),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("season_id", "key_sha256", name="one_team_of_a_name"),
    )
    op.create_table(
        "members",
        sa.Column("season_id", sa.Text, primary_key=True),
        sa.Column("key_sha256", sa.Text, primary_key=True),
        *_texts("racer", "region", "category", "team_id"),
    )
    op.create_index("members_of_team", "members", ["team_id"])
    op.create_table(
        "brackets",
        sa.Column("bracket_id", sa.Text, primary_key=True),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        *_texts("season_id", "name", "settings", "seeds"),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("brackets_of_race", "brackets", ["race_id"])
    op.create_index("brackets_of_season", "brackets", ["season_id"])
    op.create_table(
        "heats",
        sa.Column("bracket_id", sa.Text, sa.ForeignKey("brackets.bracket_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True),
        *_texts("winner"),
        sa.Column("first_score_ms", sa.BigInteger),
        sa.Column("second_score_ms", sa.BigInteger),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("taken_back", sa.Boolean, nullable=False),
    )
