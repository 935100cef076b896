"""Invitations: a row for each generation of a race's link. Only hashes of the tokens are stored."""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

INVITATIONS = sa.Table(
    "invitations",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("token_sha256", sa.Text, nullable=False),
    sa.Column("salt", sa.Text, nullable=False),  # of the token, which a secret file of the server makes of it
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_utc_ns", sa.BigInteger),
    sa.Column("max_uses", sa.Integer),
    sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("token_sha256", name="one_invitation_per_token"),
)
