"""Models of racers: the stored archives, whose each is, and uploads that are not whole yet. The bytes are in a folder.

model_blobs  an archive by the SHA-256 of its bytes, however many racers have it
models       each account's own; who else has the same bytes is nobody's business
uploads      `offset_bytes` are on the disk for good: it was synced before this was written
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

MODEL_BLOBS = sa.Table(
    "model_blobs",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    # Once the farm has read the archive only its policy and metadata are kept: under this hash. "": it is whole.
    sa.Column("kept_sha256", sa.Text, nullable=False),
    sa.Column("kept_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("checkpoints", sa.BigInteger, nullable=False, server_default="0"),  # as a farm found; 0: not read yet
)

MODELS = sa.Table(
    "models",
    METADATA,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, sa.ForeignKey("model_blobs.sha256"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("models_of_blob", "sha256"),
)

UPLOADS = sa.Table(
    "uploads",
    METADATA,
    sa.Column("upload_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("offset_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("touched_utc_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("account_id", "sha256", name="uploads_of_account"),
)
