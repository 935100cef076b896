"""Files that were imported, with the rows of published boards as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("sha256", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("format", "file", "heading", "dialect", "actor")),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "imported_rows",
        sa.Column("race_id", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer),
        sa.Column("cells", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(("race_id", "sha256"), ("imports.race_id", "imports.sha256")),
    )
