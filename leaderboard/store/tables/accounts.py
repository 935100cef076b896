"""Accounts: aliases, credentials, sessions, roles and API keys. Secrets are stored as hashes, never themselves.

accounts        a person; of a deleted one only its number is left ("deleted racer 7")
aliases         every alias that is taken, by its two keys (core/alias.py): those of a renamed account stay taken
credentials     passkeys, and at most one passphrase an account
recovery_codes  ten an account, each good for one sign-in
challenges      of passkeys, each for one use and a few minutes
sessions        of browsers; api_keys: of programs
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("alias", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("deleted_utc_ns", sa.BigInteger),
    sa.Column("deleted_number", sa.Integer, unique=True),
)

ALIASES = sa.Table(
    "aliases",
    METADATA,
    sa.Column("skeleton", sa.Text, primary_key=True),
    sa.Column("fold", sa.Text, nullable=False, unique=True),
    sa.Column("alias", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("since_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("aliases_of_account", "account_id"),
)

CREDENTIALS = sa.Table(
    "credentials",
    METADATA,
    sa.Column("credential_id", sa.Text, primary_key=True),  # of a passkey its own, URL-safe base64
    sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # "passkey" or "passphrase"
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # a passphrase's argon2id hash, a passkey's public key in hexadecimal
    sa.Column("rp_id", sa.Text, nullable=False),  # the host name that a passkey is for
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("used_utc_ns", sa.BigInteger),
    sa.Index("credentials_of_account", "account_id"),
)

RECOVERY_CODES = sa.Table(
    "recovery_codes",
    METADATA,
    sa.Column("code_sha256", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("used_utc_ns", sa.BigInteger),
    sa.Index("recovery_codes_of_account", "account_id"),
)

CHALLENGES = sa.Table(
    "challenges",
    METADATA,
    sa.Column("challenge_id", sa.Text, primary_key=True),
    sa.Column("challenge", sa.Text, nullable=False),  # hexadecimal
    sa.Column("purpose", sa.Text, nullable=False),  # "sign_up", "sign_in", "add"
    sa.Column("account_id", sa.Text, nullable=False),  # of the account that there will be, or is; "" to sign in
    sa.Column("alias", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rp_id", sa.Text, nullable=False),
    sa.Column("expires_utc_ns", sa.BigInteger, nullable=False),
    sa.Index("challenges_in_time", "expires_utc_ns"),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("token_sha256", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("used_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("proved_utc_ns", sa.BigInteger, nullable=False),  # when a credential was last shown in it
    sa.Index("sessions_of_account", "account_id"),
)

ROLES = sa.Table(
    "roles",
    METADATA,
    sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.account_id"), primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),  # Role of core/access.py
    sa.Column("scope", sa.Text, primary_key=True),  # "" for the whole leaderboard, "race", "season"
    sa.Column("scope_id", sa.Text, primary_key=True),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("granted_utc_ns", sa.BigInteger, nullable=False),
)

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("key_sha256", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, nullable=False),  # whose it is; "" if the holder of the admin token made it
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON: KeyScope of core/access.py
    sa.Column("races", sa.Text, nullable=False),  # JSON: the races that it is bound to; empty: all
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("expires_utc_ns", sa.BigInteger),
    sa.Column("used_utc_ns", sa.BigInteger),
    sa.Column("revoked_utc_ns", sa.BigInteger),
    sa.Index("api_keys_of_account", "account_id"),
)
