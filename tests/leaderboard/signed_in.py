"""Accounts that are signed in, made in the store directly: for tests of what they may do."""

import sqlalchemy as sa
from starlette.types import ASGIApp

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.core.access import Grant
from leaderboard.store.database import Store
from leaderboard.store.tables import ACCOUNTS, ALIASES, ROLES
from tests.leaderboard.in_process import FormBrowser


def account(store: Store, alias: str, *grants: Grant, now_utc_ns: int = 1) -> str:
    """An account of this alias with these roles; returns its id ("account-ada" for "ada")."""
    account_id = f"account-{alias}"
    with store.write() as db:
        values = {"account_id": account_id, "alias": alias, "name": alias.title(), "created_utc_ns": now_utc_ns}
        db.execute(sa.insert(ACCOUNTS), values)
        taken = {"skeleton": alias, "fold": alias, "alias": alias, "account_id": account_id, "since_utc_ns": now_utc_ns}
        db.execute(sa.insert(ALIASES), taken)
        for grant in grants:
            role = {"account_id": account_id, "role": grant.role, "scope": grant.scope, "scope_id": grant.scope_id}
            db.execute(sa.insert(ROLES), role | {"granted_by": "admin", "granted_utc_ns": now_utc_ns})
    return account_id


def browser(app: ASGIApp, store: Store, account_id: str, now_utc_ns: int = 1) -> FormBrowser:
    """A browser in which this account is signed in; open a page in it before it sends forms or calls the API."""
    with store.write() as db:
        opened = open_session(db, account_id, "a test", now_utc_ns, SessionPeriods())
    made = FormBrowser(app)
    made.cookies["raceday_league"] = opened.token
    return made
