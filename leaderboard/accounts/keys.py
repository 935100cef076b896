"""API keys `rk_...` of programs: stations, timing, model farms. A key does what its scopes say, in its races, no more.

Whoever edits a race may make keys for it; a key for all races is an admin's. A key that only submits models is
everybody's, and does so as the person who made it. The key itself is shown once.
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast, get_args

import sqlalchemy as sa

from leaderboard.accounts.callers import KEY_PREFIX, grants_of
from leaderboard.accounts.limits import MAX_KEYS
from leaderboard.accounts.records import AccountRecord
from leaderboard.core import access
from leaderboard.core.access import PERSONAL_SCOPES, Caller, KeyScope
from leaderboard.core.errors import NotAllowed, NotHere, UnknownRace
from leaderboard.store import audit, entries, race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import API_KEYS
from shared.access.tokens import new_token, token_hash
from shared.errors import Refused
from shared.rules.person_names import person_name
from shared.text import text

SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)
MAX_RACES = 100


class UnknownKey(NotHere):
    """There is no such key, or it is another's."""


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key as its owner sees it, without the key."""

    key_id: str
    account_id: str
    name: str
    scopes: tuple[KeyScope, ...]
    races: tuple[str, ...]
    created_utc_ns: int
    expires_utc_ns: int | None
    used_utc_ns: int | None
    revoked_utc_ns: int | None

    def holds(self, now_utc_ns: int) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_utc_ns is None and (self.expires_utc_ns is None or now_utc_ns < self.expires_utc_ns)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A new key: `key` is known nowhere else."""

    record: ApiKeyRecord
    key: str


class ApiKeys:
    """Keys of the caller's account, or of the holder of the admin token; over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        caller: Caller,
        name: str,
        scopes: Collection[str],
        races: Collection[str],
        expires_utc_ns: int | None,
        now_utc_ns: int,
    ) -> NewApiKey:
        """A new key. Raises Refused, NotAllowed for a race that is not the caller's to edit, UnknownRace."""
        name = person_name(name)
        if not scopes or not set(scopes) <= set(SCOPES):
            raise Refused(text("A key needs one or more of the scopes {scopes}.", scopes=", ".join(SCOPES)))
        if len(races) > MAX_RACES:
            raise Refused(text("A key is bound to at most {n} races; bind it to none for all.", n=MAX_RACES))
        if expires_utc_ns is not None and expires_utc_ns <= now_utc_ns:
            raise Refused(text("The key would have expired already: choose a later time."))
        key = KEY_PREFIX + new_token()
        with self._store.write() as db:
            check_may_bind(db, caller, races, scopes)
            which = (API_KEYS.c.account_id == caller.account_id) & API_KEYS.c.revoked_utc_ns.is_(None)
            if len(db.execute(sa.select(API_KEYS.c.key_id).where(which)).all()) >= MAX_KEYS:
                raise Refused(text("An account has at most {n} keys: revoke one first.", n=MAX_KEYS))
            ordered = tuple(scope for scope in SCOPES if scope in scopes)
            made = ApiKeyRecord(
                secrets.token_hex(8),
                caller.account_id,
                name,
                ordered,
                tuple(sorted(set(races))),
                now_utc_ns,
                expires_utc_ns,
                None,
                None,
            )
            values = {
                "key_id": made.key_id,
                "key_sha256": token_hash(key),
                "account_id": made.account_id,
                "name": made.name,
                "scopes": json.dumps(made.scopes),
                "races": json.dumps(made.races),
                "created_utc_ns": now_utc_ns,
                "expires_utc_ns": expires_utc_ns,
            }
            db.execute(sa.insert(API_KEYS), values)
            after = {"name": made.name, "scopes": made.scopes, "races": made.races, "expires_utc_ns": expires_utc_ns}
            audit.record(db, caller, now_utc_ns, "key.create", f"key:{made.key_id}", None, after)
        return NewApiKey(made, key)

    def list(self, caller: Caller, every: bool = False) -> list[ApiKeyRecord]:
        """The caller's keys, the newest first; `every`: all there are, for an admin."""
        query = sa.select(API_KEYS).order_by(API_KEYS.c.created_utc_ns.desc(), API_KEYS.c.key_id)
        if not every:
            query = query.where(API_KEYS.c.account_id == caller.account_id)
        with self._store.read() as db:
            return [_record(row) for row in db.execute(query)]

    def revoke(self, caller: Caller, key_id: str, now_utc_ns: int) -> ApiKeyRecord:
        """Revoke a key of the caller's, or any as an admin; again changes nothing. Raises UnknownKey."""
        with self._store.write() as db:
            row = db.execute(sa.select(API_KEYS).where(API_KEYS.c.key_id == key_id.replace("\0", ""))).first()
            if row is None or not (row.account_id == caller.account_id or caller.has("admin")):
                raise UnknownKey(text("There is no such key."))
            if row.revoked_utc_ns is None:
                _revoke(db, caller, _record(row), now_utc_ns)
            return _record(db.execute(sa.select(API_KEYS).where(API_KEYS.c.key_id == key_id)).one())


def check_may_bind(db: sa.Connection, caller: Caller, races: Collection[str], scopes: Collection[str]) -> None:
    """Check that the caller may give a key these races (none: all). Raises NotAllowed, UnknownRace, Refused."""
    if PERSONAL_SCOPES & set(scopes) and not caller.signed_in:
        raise Refused(text("A key that submits models belongs to an account: sign in and make it there."))
    if set(scopes) <= PERSONAL_SCOPES:
        _check_sees_all(db, caller, races)
        return
    if not races and not caller.has("admin"):
        raise NotAllowed(text("Name the races that the key is for: only an admin's key is for all."))
    for race_id in races:
        race = race_rows.race(db, race_id)
        if not access.sees(caller, race, None):
            raise UnknownRace.of(race_id)
        if not access.may(caller, "race.edit", race):
            raise NotAllowed(
                text("You may not make a key for the race {race}: it needs its organiser.", race=repr(race_id))
            )
        if "farm" in scopes and race.kind == "community" and not caller.has("admin"):
            # Anybody makes a community race, also to get at the models of those who enter it.
            raise NotAllowed(
                text("A farm reads racers' models and knows the seeds: of a community race it needs an admin's key.")
            )


def _check_sees_all(db: sa.Connection, caller: Caller, races: Collection[str]) -> None:
    for race_id in races:
        race = race_rows.race(db, race_id)
        entry = entries.of_account(db, race_id, caller.account_id)
        if not access.sees(caller, race, None if entry is None else entry.state):
            raise UnknownRace.of(race_id)


def revoke_outdated(db: sa.Connection, caller: Caller, account: AccountRecord, now_utc_ns: int) -> None:
    """Revoke the account's keys that it could not make any more, after a role was taken from it."""
    owner = Caller(account.account_id, account.alias, account.name, grants_of(db, account.account_id))
    held = (API_KEYS.c.account_id == account.account_id) & API_KEYS.c.revoked_utc_ns.is_(None)
    for row in db.execute(sa.select(API_KEYS).where(held)).all():
        try:
            check_may_bind(db, owner, json.loads(row.races), json.loads(row.scopes))
        except Refused:
            _revoke(db, caller, _record(row), now_utc_ns, why="role.revoke")


def revoke_all(db: sa.Connection, caller: Caller, account_id: str, now_utc_ns: int) -> None:
    """Revoke all keys of an account that is deleted."""
    held = (API_KEYS.c.account_id == account_id) & API_KEYS.c.revoked_utc_ns.is_(None)
    for row in db.execute(sa.select(API_KEYS).where(held)).all():
        _revoke(db, caller, _record(row), now_utc_ns, why="account.delete")


def _revoke(db: sa.Connection, caller: Caller, key: ApiKeyRecord, now_utc_ns: int, why: str = "") -> None:
    db.execute(sa.update(API_KEYS).where(API_KEYS.c.key_id == key.key_id).values(revoked_utc_ns=now_utc_ns))
    before = {"name": key.name, "scopes": key.scopes, "races": key.races}
    audit.record(db, caller, now_utc_ns, "key.revoke", f"key:{key.key_id}", before, None, why=why)


def _record(row: sa.Row[tuple[object, ...]]) -> ApiKeyRecord:
    scopes = cast("tuple[KeyScope, ...]", tuple(json.loads(row.scopes)))
    races = tuple(json.loads(row.races))
    return ApiKeyRecord(
        row.key_id,
        row.account_id,
        row.name,
        scopes,
        races,
        row.created_utc_ns,
        row.expires_utc_ns,
        row.used_utc_ns,
        row.revoked_utc_ns,
    )
