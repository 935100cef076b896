"""Turns of LIVE races that are driven in the simulator: which farm drives one, and which submission."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("driver", "submission_id"):
        op.add_column("live_queue", sa.Column(name, sa.Text, nullable=False, server_default=""))
