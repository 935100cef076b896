"""Deletes an account: results stay under "deleted racer N"; what is private goes (docs/decisions, deleted accounts)."""

import json
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.accounts import keys, records
from leaderboard.accounts.administration import is_last_admin
from leaderboard.accounts.data import traces
from leaderboard.accounts.data.traces import RacerTrace
from leaderboard.accounts.records import AccountRecord
from leaderboard.accounts.sessions import check_proved
from leaderboard.core.access import Caller
from leaderboard.core.redaction import renamed
from leaderboard.store import audit, race_rows, racer_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.tables import (
    ACCOUNTS,
    ALIASES,
    API_KEYS,
    AUDIT,
    CHALLENGES,
    CREDENTIALS,
    RACERS,
    RECOVERY_CODES,
    ROLES,
    SESSIONS,
)
from shared.errors import Refused
from shared.text import text

_PRIVATE = (CREDENTIALS, RECOVERY_CODES, SESSIONS, ROLES, ALIASES, CHALLENGES)


@dataclass(frozen=True, slots=True)
class Erased:
    """A deleted account: under what its results stay, and in which races."""

    name: str
    races: tuple[str, ...]


class Erasure:
    """Deletes accounts, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, caller: Caller, confirmed_alias: str, now_utc_ns: int) -> Erased:
        """Delete the caller's account, in one transaction. Raises Refused, NotAllowed without a fresh sign-in."""
        with self._store.write() as db:
            check_proved(db, caller, now_utc_ns)
            account = records.account(db, caller.account_id)
            if confirmed_alias != account.alias:
                raise Refused(
                    text("Type your alias, {alias}, to delete your account: this is for good.", alias=account.alias)
                )
            if is_last_admin(db, account.account_id):
                raise Refused(text("This is the last admin: make another account admin first."))
            return _erase(db, account, now_utc_ns)


def _erase(db: sa.Connection, account: AccountRecord, now_utc_ns: int) -> Erased:
    entered = traces.traces_of(db, account.account_id)
    number = _free_number(db, entered)
    new = deleted_name(number)
    for each in entered:
        race_rows.race(db, each.race_id, for_change=True)
        traces.rename(db, each, new, forget=True)
        traces.redact_results(db, each.race_id, new)
        race_rows.bump(db, each.race_id)
    keys.revoke_all(db, Caller(account.account_id), account.account_id, now_utc_ns)
    db.execute(sa.update(API_KEYS).where(API_KEYS.c.account_id == account.account_id).values(name=new))
    former = db.execute(sa.select(ALIASES.c.alias).where(ALIASES.c.account_id == account.account_id)).scalars().all()
    for submission in submission_rows.in_work_of(db, account.account_id):
        submission_rows.move(db, submission, "cancel", account.account_id, now_utc_ns)
    model_rows.remove_all(db, account.account_id)  # their files are swept
    for table in _PRIVATE:
        db.execute(sa.delete(table).where(table.c.account_id == account.account_id))
    gone = {"alias": "", "name": "", "deleted_utc_ns": now_utc_ns, "deleted_number": number}
    db.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.account_id == account.account_id).values(gone))
    names = {account.alias, account.name, *former, *(each.racer for each in entered), *(each.shown for each in entered)}
    _redact_audit(db, account.account_id, {each.race_id for each in entered}, dict.fromkeys(names, new), new)
    after = {"deleted_number": number}
    by = Caller(account.account_id, new, new)
    audit.record(db, by, now_utc_ns, "account.delete", f"account:{account.account_id}", None, after)
    return Erased(new, tuple(each.race_id for each in entered))


def deleted_name(number: int) -> str:
    """Under what the results of a deleted account stay."""
    return f"deleted racer {number}"


def _free_number(db: sa.Connection, entered: list[RacerTrace]) -> int:
    """The next number, whose name no racer of these races has."""
    highest = db.execute(sa.select(sa.func.max(ACCOUNTS.c.deleted_number))).scalar() or 0
    number = int(highest) + 1
    races = [each.race_id for each in entered]
    while True:
        key = racer_rows.name_key_sha256(deleted_name(number))
        which = RACERS.c.race_id.in_(races) & (RACERS.c.key_sha256 == key)
        if db.execute(sa.select(RACERS.c.racer).where(which)).first() is None:
            return number
        number += 1


def _redact_audit(db: sa.Connection, account_id: str, races: set[str], names: dict[str, str], new: str) -> None:
    """Take the names out of the rows about the account, by it, and of its races; who did what stays known by the id."""
    which = (AUDIT.c.actor == account_id) | (AUDIT.c.subject == f"account:{account_id}") | AUDIT.c.race_id.in_(races)
    for row in db.execute(sa.select(AUDIT).where(which)).mappings().all():
        kind, slash, last = row["subject"].rpartition("/")
        changed = {
            "actor_name": new if row["actor"] == account_id else row["actor_name"],
            "subject": f"{kind}{slash}{names[last]}" if slash and last in names else row["subject"],
        }
        for name in ("before", "after"):
            changed[name] = json.dumps(renamed(json.loads(row[name]), names), sort_keys=True, ensure_ascii=False)
        db.execute(sa.update(AUDIT).where(AUDIT.c.seq == row["seq"]).values(changed))
