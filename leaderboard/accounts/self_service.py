"""What a person does with the own account: name, ways to sign in, recovery codes, sessions. Every change is audited.

What cannot be undone needs a sign-in of the last minutes (`check_proved`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.accounts import records
from leaderboard.accounts.data import traces
from leaderboard.accounts.entrance import recovery
from leaderboard.accounts.entrance.entrance import Entrance, add_passphrase
from leaderboard.accounts.entrance.passphrases import checked_passphrase
from leaderboard.accounts.limits import MAX_CREDENTIALS
from leaderboard.accounts.records import AccountRecord, CredentialRecord
from leaderboard.accounts.sessions import ListedSession, check_proved, end_sessions, sessions_of
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotHere
from leaderboard.store import audit, race_rows
from leaderboard.store.tables import ACCOUNTS, CREDENTIALS
from shared.errors import Refused
from shared.text import text


class UnknownOwn(NotHere):
    """The account has no session or credential of this id."""


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account as its owner sees it."""

    account: AccountRecord
    credentials: tuple[CredentialRecord, ...]
    sessions: tuple[ListedSession, ...]
    codes_left: int


class SelfService:
    """The owner's own changes, over one store. `caller`: a signed-in account."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance, self._store = entrance, entrance.store

    def own(self, caller: Caller, now_utc_ns: int) -> OwnAccount:
        """Everything that the page of the account shows."""
        with self._store.read() as db:
            return OwnAccount(
                records.account(db, caller.account_id),
                tuple(records.credentials_of(db, caller.account_id)),
                tuple(sessions_of(db, caller.account_id, now_utc_ns, self._entrance.periods)),
                recovery.codes_left(db, caller.account_id),
            )

    def change_name(self, caller: Caller, name: str, now_utc_ns: int) -> AccountRecord:
        """Another display name, also in all its races; the alias stays. Raises Refused."""
        name = records.display_name(name, caller.alias)
        with self._store.write() as db:
            before = records.account(db, caller.account_id)
            if name != before.name:
                db.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.account_id == caller.account_id).values(name=name))
                for trace in traces.traces_of(db, caller.account_id):
                    race_rows.race(db, trace.race_id, for_change=True)
                    traces.show_as(db, trace, name)
                    race_rows.bump(db, trace.race_id)
                self._record(db, caller, now_utc_ns, "account.name", {"name": before.name}, {"name": name})
            return records.account(db, caller.account_id)

    def set_passphrase(self, caller: Caller, passphrase: str, now_utc_ns: int) -> None:
        """A passphrase, or another one; all other sessions end. Raises Refused, NotAllowed without a fresh sign-in."""
        passphrase = checked_passphrase(passphrase, caller.alias)
        with self._store.read() as db:
            check_proved(db, caller, now_utc_ns)
        hashed = self._entrance.hashing.hash(passphrase)
        with self._store.write() as db:
            known = records.credentials_of(db, caller.account_id)
            if len(known) >= MAX_CREDENTIALS and not any(each.kind == "passphrase" for each in known):
                raise Refused(text("An account has at most {n} ways to sign in.", n=MAX_CREDENTIALS))
            add_passphrase(db, caller.account_id, hashed, now_utc_ns)
            end_sessions(db, caller.account_id, but=caller.session_id)
            self._record(db, caller, now_utc_ns, "credential.add", None, {"passphrase": "set"})

    def remove_credential(self, caller: Caller, credential_id: str, now_utc_ns: int) -> None:
        """Remove a way to sign in; the last one stays. Raises UnknownOwn, Refused, NotAllowed."""
        with self._store.write() as db:
            check_proved(db, caller, now_utc_ns)
            known = records.credentials_of(db, caller.account_id)
            removed = next((each for each in known if each.credential_id == credential_id), None)
            if removed is None:
                raise UnknownOwn(text("This account has no such way to sign in."))
            if len(known) == 1:
                raise Refused(text("This is the last way to sign in: add another one before you remove it."))
            db.execute(sa.delete(CREDENTIALS).where(CREDENTIALS.c.credential_id == credential_id))
            before = {removed.kind: removed.credential_id, "label": removed.label}
            self._record(db, caller, now_utc_ns, "credential.remove", before, None)

    def renew_codes(self, caller: Caller, now_utc_ns: int) -> tuple[str, ...]:
        """Ten new recovery codes; the old ones are worth nothing any more. Raises NotAllowed."""
        with self._store.write() as db:
            check_proved(db, caller, now_utc_ns)
            codes = recovery.renew_codes(db, caller.account_id)
            self._record(db, caller, now_utc_ns, "account.renew_codes", None, {"codes": len(codes)})
        return codes

    def end_session(self, caller: Caller, session_id: str, now_utc_ns: int) -> None:
        """Sign out: this browser, or another one of the account. Raises UnknownOwn."""
        with self._store.write() as db:
            if not session_id.isprintable() or not end_sessions(db, caller.account_id, session_id):
                raise UnknownOwn(text("This account has no such session: it may have ended already."))
            if session_id != caller.session_id:
                self._record(db, caller, now_utc_ns, "session.revoke", {"session": session_id}, None)

    def end_other_sessions(self, caller: Caller, now_utc_ns: int) -> int:
        """Sign out everywhere but here; returns how many sessions ended."""
        with self._store.write() as db:
            ended = end_sessions(db, caller.account_id, but=caller.session_id)
            if ended:
                self._record(db, caller, now_utc_ns, "session.revoke_all", {"sessions": ended}, None)
        return ended

    def _record(
        self,
        db: sa.Connection,
        caller: Caller,
        now_utc_ns: int,
        what: str,
        before: Mapping[str, object] | None,
        after: Mapping[str, object] | None,
    ) -> None:
        audit.record(db, caller, now_utc_ns, what, f"account:{caller.account_id}", before, after)
