"""Recovery codes: ten, each good for one sign-in, shown once when they are made and stored only as hashes."""

import hashlib

import sqlalchemy as sa

from leaderboard.accounts.limits import RECOVERY_CODES
from leaderboard.store.tables import RECOVERY_CODES as CODES
from shared.access.short_codes import new_code, normalised

LETTERS = 25  # 125 random bits: no slow hash is needed (OWASP ASVS 5.0, 6.5.2, from 112 on)
MAX_TYPED = 60


def renew_codes(db: sa.Connection, account_id: str) -> tuple[str, ...]:
    """Replace all recovery codes of the account; returns the new ones."""
    codes = tuple(new_code(LETTERS) for _ in range(RECOVERY_CODES))
    db.execute(sa.delete(CODES).where(CODES.c.account_id == account_id))
    db.execute(sa.insert(CODES), [{"code_sha256": _hash(code), "account_id": account_id} for code in codes])
    return codes


def use_code(db: sa.Connection, account_id: str, typed: str, now_utc_ns: int) -> bool:
    """Whether this is an unused code of the account, however it was typed; it is used now."""
    which = (CODES.c.account_id == account_id) & (CODES.c.code_sha256 == _hash(typed[:MAX_TYPED]))
    used = db.execute(sa.update(CODES).where(which & CODES.c.used_utc_ns.is_(None)).values(used_utc_ns=now_utc_ns))
    return used.rowcount == 1


def codes_left(db: sa.Connection, account_id: str) -> int:
    """How many codes are unused."""
    which = (CODES.c.account_id == account_id) & CODES.c.used_utc_ns.is_(None)
    return int(db.execute(sa.select(sa.func.count()).select_from(CODES).where(which)).scalar_one())


def _hash(code: str) -> str:
    return hashlib.sha256(normalised(code).encode()).hexdigest()
