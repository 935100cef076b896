"""Models of racers, uploads, and submissions to virtual races."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "model_blobs",
        sa.Column("sha256", sa.Text, primary_key=True),
        *_numbers("size_bytes"),
        *_texts("kept_sha256"),
        *_numbers("kept_bytes", "created_utc_ns"),
    )
    op.create_table(
        "models",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, sa.ForeignKey("model_blobs.sha256"), primary_key=True),
        *_texts("name"),
        *_numbers("size_bytes", "created_utc_ns"),
    )
    op.create_index("models_of_blob", "models", ["sha256"])
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.Text, primary_key=True),
        *_texts("account_id", "sha256"),
        *_numbers("size_bytes"),
        *_texts("name"),
        *_numbers("offset_bytes", "created_utc_ns", "touched_utc_ns"),
        sa.UniqueConstraint("account_id", "sha256", name="uploads_of_account"),
    )
    op.create_table(
        "submissions",
        sa.Column("number", counter, primary_key=True, autoincrement=True),
        sa.Column("submission_id", sa.Text, nullable=False, unique=True),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        *_texts("account_id", "racer", "model_sha256", "model_name", "checkpoint", "state", "sentence"),
        *_numbers("state_utc_ns", "submitted_utc_ns"),
        sa.Column("queued_utc_ns", sa.BigInteger),
        sa.Column("round", sa.Integer, nullable=False),
        *_texts("request_id"),
    )
    op.create_index("submissions_of_racer", "submissions", ["race_id", "account_id"])
    op.create_index("submissions_by_state", "submissions", ["state", "queued_utc_ns"])
    op.create_index("submissions_of_model", "submissions", ["account_id", "model_sha256"])
    op.create_table(
        "submission_states",
        sa.Column("submission_id", sa.Text, sa.ForeignKey("submissions.submission_id"), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        *_texts("state", "sentence"),
        *_numbers("at_utc_ns"),
        *_texts("who"),
    )
