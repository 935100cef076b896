"""Ranks are read from counts of lines by score; lines know the name they are searched by, races their results' number."""

import sqlalchemy as sa
from alembic import op

from leaderboard.core.search import folded
from leaderboard.store.ranking.ranks import rebuild

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BATCH = 5000


def upgrade() -> None:
    op.create_table(
        "boards",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("width_ms", sa.BigInteger, nullable=False),
        sa.Column("ranked", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rank_buckets",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("bucket", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
    )
    op.add_column("races", sa.Column("results", sa.BigInteger, nullable=False, server_default="0"))
    collated = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("lines", sa.Column("folded", collated, nullable=False, server_default=""))
    op.create_index("lines_by_name", "lines", ["race_id", "kind", "folded"])
    db = op.get_bind()
    counted = "(SELECT count(*) FROM results WHERE results.race_id = races.race_id)"
    db.execute(sa.text(f"UPDATE races SET results = {counted}"))
    _fold_names(db)
    for race_id, kind in db.execute(sa.text("SELECT DISTINCT race_id, kind FROM lines")).all():
        rebuild(db, race_id, kind)


def _fold_names(db: sa.Connection) -> None:
    rows = sa.text(
        "SELECT l.race_id, l.kind, l.racer, coalesce(e.name, l.racer) AS name FROM lines l "
        "LEFT JOIN entries e ON e.race_id = l.race_id AND e.racer = l.racer"
    )
    given = sa.text("UPDATE lines SET folded = :folded WHERE race_id = :race_id AND kind = :kind AND racer = :racer")
    found = db.execute(rows).all()
    for start in range(0, len(found), _BATCH):
        batch = [row._asdict() | {"folded": folded(row.name)} for row in found[start : start + _BATCH]]
        db.execute(given, batch)
