"""Accounts with their aliases, credentials, recovery codes, sessions, roles and API keys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("deleted_utc_ns", sa.BigInteger),
        sa.Column("deleted_number", sa.Integer, unique=True),
    )
    op.create_table(
        "aliases",
        sa.Column("skeleton", sa.Text, primary_key=True),
        sa.Column("fold", sa.Text, nullable=False, unique=True),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
        sa.Column("since_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("aliases_of_account", "aliases", ["account_id"])
    op.create_table(
        "credentials",
        sa.Column("credential_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("rp_id", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger),
    )
    op.create_index("credentials_of_account", "credentials", ["account_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("code_sha256", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger),
    )
    op.create_index("recovery_codes_of_account", "recovery_codes", ["account_id"])
    op.create_table(
        "challenges",
        sa.Column("challenge_id", sa.Text, primary_key=True),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("rp_id", sa.Text, nullable=False),
        sa.Column("expires_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("challenges_in_time", "challenges", ["expires_utc_ns"])
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("token_sha256", sa.Text, nullable=False, unique=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("proved_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("sessions_of_account", "sessions", ["account_id"])
    op.create_table(
        "roles",
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("scope_id", sa.Text, primary_key=True),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("key_sha256", sa.Text, nullable=False, unique=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("races", sa.Text, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_utc_ns", sa.BigInteger),
        sa.Column("used_utc_ns", sa.BigInteger),
        sa.Column("revoked_utc_ns", sa.BigInteger),
    )
    op.create_index("api_keys_of_account", "api_keys", ["account_id"])
    op.add_column("racers", sa.Column("former_sha256", sa.Text, nullable=False, server_default=""))
