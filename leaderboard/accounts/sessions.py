"""Sessions of browsers: opened, listed, ended. A session's token is random and stored only as its hash."""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.accounts.limits import MAX_SESSIONS, PROOF_NS, SessionPeriods
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed
from leaderboard.store.tables import SESSIONS
from shared.access.tokens import new_token, token_hash
from shared.text import text
from shared.units import NS_PER_S

_MINUTE_NS = 60 * NS_PER_S
MAX_BROWSER = 200


@dataclass(frozen=True, slots=True)
class NewSession:
    """A new session. `token` goes into the browser's cookie, and is known nowhere else."""

    session_id: str
    token: str
    account_id: str
    expires_utc_ns: int


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it. `browser`: what it said of itself when it signed in."""

    session_id: str
    browser: str
    created_utc_ns: int
    used_utc_ns: int


def open_session(
    db: sa.Connection, account_id: str, browser: str, now_utc_ns: int, periods: SessionPeriods
) -> NewSession:
    """Add a session; of too many of one account, the one that was used longest ago ends, and those that are over."""
    found = sa.select(SESSIONS).where(SESSIONS.c.account_id == account_id).order_by(SESSIONS.c.used_utc_ns.desc())
    rows = db.execute(found).all()
    alive = [row.session_id for row in rows if periods.alive(row.created_utc_ns, row.used_utc_ns, now_utc_ns)]
    over = {row.session_id for row in rows} - set(alive[: MAX_SESSIONS - 1])
    db.execute(sa.delete(SESSIONS).where(SESSIONS.c.session_id.in_(over)))
    opened = NewSession(secrets.token_hex(8), new_token(), account_id, now_utc_ns + periods.absolute_ns)
    values = {
        "session_id": opened.session_id,
        "token_sha256": token_hash(opened.token),
        "account_id": account_id,
        "browser": "".join(sign for sign in browser[:MAX_BROWSER] if sign.isprintable()),
        "created_utc_ns": now_utc_ns,
        "used_utc_ns": now_utc_ns,
        "proved_utc_ns": now_utc_ns,
    }
    db.execute(sa.insert(SESSIONS), values)
    return opened


def sessions_of(db: sa.Connection, account_id: str, now_utc_ns: int, periods: SessionPeriods) -> list[ListedSession]:
    """The account's sessions that hold, the one used last first."""
    found = sa.select(SESSIONS).where(SESSIONS.c.account_id == account_id).order_by(SESSIONS.c.used_utc_ns.desc())
    return [
        ListedSession(row.session_id, row.browser, row.created_utc_ns, row.used_utc_ns)
        for row in db.execute(found)
        if periods.alive(row.created_utc_ns, row.used_utc_ns, now_utc_ns)
    ]


def end_sessions(db: sa.Connection, account_id: str, session_id: str | None = None, but: str = "") -> int:
    """End one session of the account, or all (None) but one; returns how many ended."""
    which = SESSIONS.c.account_id == account_id
    which &= SESSIONS.c.session_id != but if session_id is None else SESSIONS.c.session_id == session_id
    return db.execute(sa.delete(SESSIONS).where(which)).rowcount


def check_proved(db: sa.Connection, caller: Caller, now_utc_ns: int) -> None:
    """Check that the caller's session began within `PROOF_NS`, as what cannot be undone needs it. Raises NotAllowed."""
    found = sa.select(SESSIONS.c.proved_utc_ns).where(SESSIONS.c.session_id == caller.session_id)
    proved_utc_ns = db.execute(found).scalar()
    if proved_utc_ns is None or now_utc_ns - proved_utc_ns > PROOF_NS:
        raise NotAllowed(
            text("Sign in once more first: this needs a sign-in of the last {n} minutes.", n=PROOF_NS // _MINUTE_NS)
        )
