"""Signing up and signing in: every way in ends with a session. Called off the event loop: a passphrase takes 0.1 s.

A wrong alias and a wrong passphrase get one sentence after the same work, and every try is counted (throttle.py).
"""

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from leaderboard.accounts import records
from leaderboard.accounts.entrance import recovery
from leaderboard.accounts.entrance.passphrases import PassphraseHashing, checked_passphrase
from leaderboard.accounts.entrance.throttle import EntranceThrottle
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.records import AccountRecord
from leaderboard.accounts.sessions import NewSession, open_session
from leaderboard.core import alias as aliases
from leaderboard.core.access import Caller
from leaderboard.core.errors import WrongCredential
from leaderboard.store import audit
from leaderboard.store.database import Store
from leaderboard.store.tables import CREDENTIALS
from shared.text import text
from shared.units import NS_PER_S

if TYPE_CHECKING:
    from shared.access.pass_code_hashing import PassCodeHasher


SIGN_INS = "leaderboard.sign_ins"  # the log's name; _serve (cli.py) lets its lines through
_LOG = logging.getLogger(SIGN_INS)


@dataclass(frozen=True, slots=True)
class Visitor:
    """From where somebody tries: the address, and what the browser says of itself."""

    address: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account with its new session. `codes`: the recovery codes of a new account, shown this once."""

    account: AccountRecord
    session: NewSession
    codes: tuple[str, ...] = ()


class Entrance:
    """Signs people up and in, over one store."""

    def __init__(
        self, store: Store, periods: SessionPeriods | None = None, hasher: "PassCodeHasher | None" = None
    ) -> None:
        self.store = store
        self.periods = periods or SessionPeriods()
        self.hashing = PassphraseHashing(hasher)
        self.throttle = EntranceThrottle()

    def sign_up(self, alias: str, name: str, passphrase: str, visitor: Visitor, now_utc_ns: int) -> SignedIn:
        """A new account with a passphrase. Raises Refused, Conflict for a taken alias, RateLimited."""
        alias = aliases.alias_of(alias)
        name, passphrase = records.display_name(name, alias), checked_passphrase(passphrase, alias)
        self.throttle.sign_up(visitor.address, now_utc_ns / NS_PER_S)
        with self.store.read() as db:
            records.check_free(db, alias)  # before the slow hash
        hashed = self.hashing.hash(passphrase)
        with self.store.write() as db:
            made = records.add_account(db, records.new_account_id(), alias, name, now_utc_ns)
            add_passphrase(db, made.account_id, hashed, now_utc_ns)
            return self.welcome(db, made, visitor, now_utc_ns, "a passphrase", new=True)

    def sign_in(self, alias: str, passphrase: str, visitor: Visitor, now_utc_ns: int) -> SignedIn:
        """A session by alias and passphrase. Raises Unauthorized, RateLimited."""
        now_s = now_utc_ns / NS_PER_S
        tried = self.throttle.sign_in(aliases.fold(alias[:200]), visitor.address, now_s)
        with self.store.read() as db:
            found = records.account_of(db, alias)
            stored = None if found is None else _passphrase_of(db, found.account_id)
        if not self.hashing.matches(stored, passphrase) or found is None:
            self.throttle.failed(tried, now_s)
            raise WrongCredential(text("This alias and this passphrase do not belong together."))
        self.throttle.succeeded(tried)
        with self.store.write() as db:
            account = records.account(db, found.account_id)  # it may have been deleted since
            used = (CREDENTIALS.c.account_id == account.account_id) & (CREDENTIALS.c.kind == "passphrase")
            db.execute(sa.update(CREDENTIALS).where(used).values(used_utc_ns=now_utc_ns))
            return self.welcome(db, account, visitor, now_utc_ns, "a passphrase")

    def recover(self, alias: str, code: str, visitor: Visitor, now_utc_ns: int) -> SignedIn:
        """A session by alias and recovery code, which is used then. Raises Unauthorized, RateLimited."""
        now_s = now_utc_ns / NS_PER_S
        tried = self.throttle.sign_in(aliases.fold(alias[:200]), visitor.address, now_s)
        with self.store.write() as db:
            found = records.account_of(db, alias)
            if found is not None and recovery.use_code(db, found.account_id, code, now_utc_ns):
                self.throttle.succeeded(tried)
                caller = Caller(found.account_id, found.alias, found.name)
                left = {"codes_left": recovery.codes_left(db, found.account_id)}
                audit.record(db, caller, now_utc_ns, "account.recover", f"account:{found.account_id}", None, left)
                return self.welcome(db, found, visitor, now_utc_ns, "a recovery code")
        self.throttle.failed(tried, now_s)
        raise WrongCredential(text("This alias and this recovery code do not belong together, or the code was used."))

    def welcome(
        self, db: sa.Connection, account: AccountRecord, visitor: Visitor, now_utc_ns: int, way: str, new: bool = False
    ) -> SignedIn:
        """A session for an account that has proved itself by `way`; of a new one, also its recovery codes."""
        _LOG.info("%s signed %s by %s.", account.alias, "up" if new else "in", way)
        session = open_session(db, account.account_id, visitor.browser, now_utc_ns, self.periods)
        return SignedIn(account, session, recovery.renew_codes(db, account.account_id) if new else ())


def add_passphrase(db: sa.Connection, account_id: str, hashed: str, now_utc_ns: int) -> None:
    """Store the account's passphrase, in place of an older one."""
    db.execute(
        sa.delete(CREDENTIALS).where((CREDENTIALS.c.account_id == account_id) & (CREDENTIALS.c.kind == "passphrase"))
    )
    values = {
        "credential_id": secrets.token_hex(8),
        "account_id": account_id,
        "kind": "passphrase",
        "label": "",
        "secret": hashed,
        "rp_id": "",
        "sign_count": 0,
        "created_utc_ns": now_utc_ns,
    }
    db.execute(sa.insert(CREDENTIALS), values)


def _passphrase_of(db: sa.Connection, account_id: str) -> str | None:
    which = (CREDENTIALS.c.account_id == account_id) & (CREDENTIALS.c.kind == "passphrase")
    stored: str | None = db.execute(sa.select(CREDENTIALS.c.secret).where(which)).scalar()
    return stored
