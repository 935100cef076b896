"""Finds who asks by what the request shows: a session's token, an API key, or the admin's token. Called by web/."""

import hmac
import json
import logging
from typing import cast

import sqlalchemy as sa

from leaderboard.accounts.limits import TOUCH_NS, SessionPeriods
from leaderboard.core.access import ADMIN, PERSONAL_SCOPES, Caller, Grant, KeyScope, Role, ScopeKind
from leaderboard.store.database import Store
from leaderboard.store.tables import ACCOUNTS, API_KEYS, ROLES, SESSIONS
from shared.access.tokens import token_hash
from shared.errors import OperatorError, RetryLater

KEY_PREFIX = "rk_"
_LOG = logging.getLogger(__name__)
_SESSION = (
    sa.select(
        SESSIONS.c.session_id,
        SESSIONS.c.created_utc_ns,
        SESSIONS.c.used_utc_ns,
        ACCOUNTS.c.account_id,
        ACCOUNTS.c.alias,
        ACCOUNTS.c.name,
    )
    .join(ACCOUNTS, ACCOUNTS.c.account_id == SESSIONS.c.account_id)
    .where((SESSIONS.c.token_sha256 == sa.bindparam("token_sha256")) & ACCOUNTS.c.deleted_utc_ns.is_(None))
)
_KEY = (
    sa.select(API_KEYS, ACCOUNTS.c.alias)
    .outerjoin(ACCOUNTS, ACCOUNTS.c.account_id == API_KEYS.c.account_id)
    .where(API_KEYS.c.key_sha256 == sa.bindparam("key_sha256"))
)


class CallerLookup:
    """Looks up callers in the store. Safe to call from any thread; it may wait for the disk."""

    def __init__(self, store: Store, admin_token: str, periods: SessionPeriods | None = None) -> None:
        self._store, self._admin_token = store, admin_token
        self._periods = periods or SessionPeriods()

    def by_session(self, token: str, now_utc_ns: int, *, touch: bool = True) -> Caller | None:
        """The account of a session that holds; None if there is none (any more). `touch`: it counts as used now."""
        with self._store.read() as db:
            row = db.execute(_SESSION, {"token_sha256": token_hash(token)}).first()
            if row is None or not self._periods.alive(row.created_utc_ns, row.used_utc_ns, now_utc_ns):
                return None
            grants = grants_of(db, row.account_id)
        if touch and now_utc_ns - row.used_utc_ns >= TOUCH_NS:
            self._touch(SESSIONS, SESSIONS.c.session_id == row.session_id, now_utc_ns)
        return Caller(row.account_id, row.alias, row.name, grants, row.session_id)

    def by_bearer(self, token: str, now_utc_ns: int) -> Caller | None:
        """The API key or the admin's token; None for one that is not valid (any more)."""
        if not token.startswith(KEY_PREFIX):
            known = bool(self._admin_token) and hmac.compare_digest(token.encode(), self._admin_token.encode())
            return ADMIN if known else None
        with self._store.read() as db:
            row = db.execute(_KEY, {"key_sha256": token_hash(token)}).first()
        if row is None or row.revoked_utc_ns is not None:
            return None
        if row.expires_utc_ns is not None and now_utc_ns >= row.expires_utc_ns:
            return None
        if row.used_utc_ns is None or now_utc_ns - row.used_utc_ns >= TOUCH_NS:
            self._touch(API_KEYS, API_KEYS.c.key_id == row.key_id, now_utc_ns)
        scopes = frozenset(cast("list[KeyScope]", json.loads(row.scopes)))
        owner = (row.account_id, row.alias or "") if scopes & PERSONAL_SCOPES else ("", "")
        return Caller(key_id=row.key_id, key_scopes=scopes, key_races=frozenset(json.loads(row.races)), key_owner=owner)

    def _touch(self, table: sa.Table, which: sa.ColumnElement[bool], now_utc_ns: int) -> None:
        # A full disk ends nobody's session: what is stored here is only shown, and compared with weeks.
        try:
            with self._store.write() as db:
                db.execute(sa.update(table).where(which).values(used_utc_ns=now_utc_ns))
        except (OperatorError, RetryLater) as error:
            _LOG.warning("the last use of a sign-in is not noted: %s", error)


def grants_of(db: sa.Connection, account_id: str) -> frozenset[Grant]:
    """The roles of the account."""
    rows = db.execute(sa.select(ROLES).where(ROLES.c.account_id == account_id))
    return frozenset(Grant(cast(Role, row.role), cast(ScopeKind, row.scope), row.scope_id) for row in rows)
