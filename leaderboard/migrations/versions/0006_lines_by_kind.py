"""A line is one of a table of its race: of physical results, of virtual ones, or of both in one. So a racer may have two."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT = 'race_id, racer, score_ms, set_utc_ns, "order", seq, attempts'


def upgrade() -> None:
    # SQLite cannot change a primary key, so the table is made anew on both databases.
    op.execute(sa.text("CREATE TABLE lines_before AS SELECT * FROM lines"))
    op.drop_table("lines")
    op.create_table(
        "lines",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("racer", sa.Text, primary_key=True),
        sa.Column("score_ms", sa.BigInteger, nullable=False),
        sa.Column("set_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("order", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("lines_in_rank", "lines", ["race_id", "kind", "score_ms", "set_utc_ns", "order"])
    kind = "(SELECT venue FROM races WHERE races.race_id = lines_before.race_id)"
    op.execute(sa.text(f"INSERT INTO lines (kind, {_KEPT}) SELECT {kind}, {_KEPT} FROM lines_before"))
    op.drop_table("lines_before")
    _rewrite_undo()


def _rewrite_undo() -> None:
    """What the arrows compare with: from lines by racer to lines by table and racer."""
    db = op.get_bind()
    for race_id, venue, undo in db.execute(sa.text("SELECT race_id, venue, undo FROM races")).all():
        lines = [[venue, racer, line and line | {"kind": venue}] for racer, line in json.loads(undo).items()]
        new = sa.text("UPDATE races SET undo = :undo WHERE race_id = :race_id")
        db.execute(new, {"undo": json.dumps(lines), "race_id": race_id})
