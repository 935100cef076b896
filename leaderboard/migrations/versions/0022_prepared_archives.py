"""Archives know how many checkpoints a farm has found in them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_blobs", sa.Column("checkpoints", sa.BigInteger, nullable=False, server_default="0"))
