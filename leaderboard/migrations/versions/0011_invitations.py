"""Links that invite to a race; an entry remembers the state that it had before it was taken out."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("token_sha256", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_utc_ns", sa.BigInteger),
        sa.Column("max_uses", sa.Integer),
        sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("token_sha256", name="one_invitation_per_token"),
    )
    op.add_column("entries", sa.Column("state_before", sa.Text, nullable=False, server_default=""))
