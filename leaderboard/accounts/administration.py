"""What admins and officials do with accounts: find, rename, grant and revoke roles. Every change is audited."""

from dataclasses import dataclass
from typing import get_args

import sqlalchemy as sa

from leaderboard.accounts import records
from leaderboard.accounts.callers import grants_of
from leaderboard.accounts.data import traces
from leaderboard.accounts.keys import revoke_outdated
from leaderboard.accounts.records import AccountRecord, UnknownAccount
from leaderboard.accounts.sessions import end_sessions
from leaderboard.core import alias as aliases
from leaderboard.core.access import Caller, Grant, Role, ScopeKind
from leaderboard.store import audit, race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import ACCOUNTS, ROLES
from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text

PAGE = 50


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account with its roles, as an admin sees it."""

    account: AccountRecord
    grants: tuple[Grant, ...]


class Administration:
    """The admin's and the officials' changes of accounts, over one store. Whether the caller may is asked before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, part: str = "", after: str = "") -> list[ListedAccount]:
        """At most `PAGE` accounts whose alias or name holds the part, by alias, after this one."""
        query = sa.select(ACCOUNTS).where(ACCOUNTS.c.deleted_utc_ns.is_(None)).order_by(ACCOUNTS.c.alias).limit(PAGE)
        if part := part.strip().replace("\0", "")[:60]:
            query = query.where(
                ACCOUNTS.c.alias.icontains(part, autoescape=True) | ACCOUNTS.c.name.icontains(part, autoescape=True)
            )
        if after := after.replace("\0", ""):
            query = query.where(ACCOUNTS.c.alias > after)
        with self._store.read() as db:
            found = [
                AccountRecord(row.account_id, row.alias, row.name, row.created_utc_ns) for row in db.execute(query)
            ]
            return [ListedAccount(each, _sorted(grants_of(db, each.account_id))) for each in found]

    def account(self, alias: str) -> ListedAccount:
        """The account of this alias. Raises UnknownAccount."""
        with self._store.read() as db:
            found = _account_of(db, alias)
            return ListedAccount(found, _sorted(grants_of(db, found.account_id)))

    def rename(self, caller: Caller, alias: str, wanted: str, why: str, now_utc_ns: int) -> AccountRecord:
        """Give the account another alias, for a reason, also in all its races; nobody else gets the old one.

        Raises Refused, Conflict.
        """
        wanted = aliases.alias_of(wanted)
        if not why.strip():
            raise Refused(text("Say why the alias is changed: its owner and the audit are told."))
        with self._store.write() as db:
            before = _account_of(db, alias)
            if wanted == before.alias:
                return before
            records.check_free(db, wanted, but=before.account_id)
            records.take_alias(db, wanted, before.account_id, now_utc_ns)
            which = ACCOUNTS.c.account_id == before.account_id
            name = wanted if before.name == before.alias else before.name  # who gave no name is called by the alias
            db.execute(sa.update(ACCOUNTS).where(which).values(alias=wanted, name=name))
            for trace in traces.traces_of(db, before.account_id):
                # In whatever spelling the race knew the name first; another name in a race is not the alias's.
                if name_key(trace.racer) in (name_key(before.alias), name_key(wanted)) and trace.racer != wanted:
                    race_rows.race(db, trace.race_id, for_change=True)
                    traces.rename(db, trace, wanted, forget=False)
                    race_rows.bump(db, trace.race_id)
            subject, after = f"account:{before.account_id}", {"alias": wanted}
            old = {"alias": before.alias}
            audit.record(db, caller, now_utc_ns, "account.rename", subject, old, after, why=why.strip()[:500])
            return records.account(db, before.account_id)

    def grant(self, caller: Caller, alias: str, grant: Grant, now_utc_ns: int) -> ListedAccount:
        """Give the account a role; giving it again changes nothing. Raises Refused, UnknownAccount, UnknownRace."""
        _check(grant)
        with self._store.write() as db:
            found = _account_of(db, alias)
            if grant.scope == "race":
                race_rows.race(db, grant.scope_id)
            had = grants_of(db, found.account_id)
            if grant not in had:
                values = _values(grant) | {"account_id": found.account_id}
                values |= {"granted_by": audit.actor_of(caller), "granted_utc_ns": now_utc_ns}
                db.execute(sa.insert(ROLES), values)
                _record(db, caller, now_utc_ns, "role.grant", found, None, grant)
            return ListedAccount(found, _sorted(had | {grant}))

    def revoke(self, caller: Caller, alias: str, grant: Grant, now_utc_ns: int) -> ListedAccount:
        """Take a role away, with the API keys that only it allowed; the last admin stays. Raises Refused."""
        with self._store.write() as db:
            found = _account_of(db, alias)
            had = grants_of(db, found.account_id)
            if grant in had:
                if grant == Grant("admin") and _admins(db) == [found.account_id]:
                    raise Refused(text("This is the last admin: make another account admin first."))
                which = ROLES.c.account_id == found.account_id
                for name, value in _values(grant).items():
                    which &= ROLES.c[name] == value
                db.execute(sa.delete(ROLES).where(which))
                _record(db, caller, now_utc_ns, "role.revoke", found, grant, None)
                revoke_outdated(db, caller, found, now_utc_ns)
            return ListedAccount(found, _sorted(had - {grant}))

    def sign_out(self, caller: Caller, alias: str, why: str, now_utc_ns: int) -> int:
        """End all sessions of the account, such as of a lost tablet; returns how many."""
        with self._store.write() as db:
            found = _account_of(db, alias)
            ended = end_sessions(db, found.account_id)
            subject = f"account:{found.account_id}"
            audit.record(
                db, caller, now_utc_ns, "session.revoke_all", subject, {"sessions": ended}, None, why=why.strip()[:500]
            )
        return ended


def has_admin(db: sa.Connection) -> bool:
    """Whether anybody is admin of the whole leaderboard."""
    return bool(_admins(db))


def is_last_admin(db: sa.Connection, account_id: str) -> bool:
    """Whether this account is the only admin."""
    return _admins(db) == [account_id]


def make_admin(db: sa.Connection, caller: Caller, now_utc_ns: int) -> None:
    """The first admin, by the claim code."""
    grant = Grant("admin")
    values = _values(grant) | {"account_id": caller.account_id, "granted_by": "claim", "granted_utc_ns": now_utc_ns}
    db.execute(sa.insert(ROLES), values)
    account = records.account(db, caller.account_id)
    _record(db, caller, now_utc_ns, "role.grant", account, None, grant, why="claim code")


def _account_of(db: sa.Connection, alias: str) -> AccountRecord:
    found = records.account_of(db, alias)
    if found is None:
        raise UnknownAccount(text("There is no account {alias}.", alias=repr(alias[:40])))
    return found


def _admins(db: sa.Connection) -> list[str]:
    which = (ROLES.c.role == "admin") & (ROLES.c.scope == "")
    return list(db.execute(sa.select(ROLES.c.account_id).where(which)).scalars())


def _check(grant: Grant) -> None:
    if grant.role not in get_args(Role) or grant.scope not in get_args(ScopeKind):
        raise Refused(
            text("A role is one of {roles}, for a race, a season, or everything.", roles=", ".join(get_args(Role)))
        )
    if (grant.scope == "") != (grant.scope_id == "") or len(grant.scope_id) > 64 or not grant.scope_id.isprintable():
        raise Refused(text("Name the race or season that the role is for, or neither."))
    if grant.role == "admin" and grant.scope:
        raise Refused(text("An admin is admin of the whole leaderboard."))


def _values(grant: Grant) -> dict[str, object]:
    return {"role": grant.role, "scope": grant.scope, "scope_id": grant.scope_id}


def _sorted(grants: frozenset[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: (grant.role, grant.scope, grant.scope_id)))


def _record(
    db: sa.Connection,
    caller: Caller,
    now_utc_ns: int,
    what: str,
    account: AccountRecord,
    before: Grant | None,
    after: Grant | None,
    why: str = "",
) -> None:
    scoped = before or after
    assert scoped is not None
    places = {scoped.scope: scoped.scope_id}
    audit.record(
        db,
        caller,
        now_utc_ns,
        what,
        f"account:{account.account_id}",
        before,
        after,
        race_id=places.get("race", ""),
        season_id=places.get("season", ""),
        why=why,
    )
