"""Accounts as the services hand them on, and their rows. Each function is part of its caller's transaction."""

import secrets
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from leaderboard.core import alias as aliases
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, NotHere
from leaderboard.store import audit
from leaderboard.store.tables import ACCOUNTS, ALIASES, CREDENTIALS
from shared.rules.person_names import person_name
from shared.text import text

CredentialKind = Literal["passkey", "passphrase"]


class UnknownAccount(NotHere):
    """There is no account of this alias or id."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A person's account. `name`: how the person is called, beside the alias."""

    account_id: str
    alias: str
    name: str
    created_utc_ns: int


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """A way into the account, as its owner sees it."""

    credential_id: str
    kind: CredentialKind
    label: str
    created_utc_ns: int
    used_utc_ns: int | None


def account(db: sa.Connection, account_id: str) -> AccountRecord:
    """The account of this id. Raises UnknownAccount, also for one that was deleted."""
    row = db.execute(
        sa.select(ACCOUNTS).where((ACCOUNTS.c.account_id == account_id) & ACCOUNTS.c.deleted_utc_ns.is_(None))
    ).first()
    if row is None:
        raise UnknownAccount(text("There is no such account."))
    return AccountRecord(row.account_id, row.alias, row.name, row.created_utc_ns)


def account_of(db: sa.Connection, alias: str) -> AccountRecord | None:
    """The account of this alias, in any case and width; None if there is none. A former alias finds nobody."""
    query = (
        sa.select(ACCOUNTS)
        .join(ALIASES, (ALIASES.c.account_id == ACCOUNTS.c.account_id) & (ALIASES.c.alias == ACCOUNTS.c.alias))
        .where((ALIASES.c.fold == aliases.fold(alias[:200])) & ACCOUNTS.c.deleted_utc_ns.is_(None))
    )
    row = db.execute(query).first() if alias.isprintable() else None
    return None if row is None else AccountRecord(row.account_id, row.alias, row.name, row.created_utc_ns)


def new_account_id() -> str:
    """A fresh id."""
    return secrets.token_hex(8)


def check_free(db: sa.Connection, alias: str, but: str = "") -> None:
    """Check that no other account (`but`: one's own) has this alias or one that looks like it. Raises Conflict."""
    keys = (ALIASES.c.skeleton == aliases.skeleton(alias)) | (ALIASES.c.fold == aliases.fold(alias))
    taken = db.execute(sa.select(ALIASES.c.alias).where(keys & (ALIASES.c.account_id != but))).scalars().first()
    if taken == alias:
        raise Conflict(text("The alias {alias} is taken: choose another.", alias=repr(alias)))
    if taken is not None:
        raise Conflict(
            text(
                "The alias {alias} looks like {taken}, which is taken: choose another.",
                alias=repr(alias),
                taken=repr(taken),
            )
        )


def take_alias(db: sa.Connection, alias: str, account_id: str, now_utc_ns: int) -> None:
    """Give the account this alias, which `check_free` has found free; its former ones stay taken. Raises Conflict."""
    keys = {"skeleton": aliases.skeleton(alias), "fold": aliases.fold(alias)}
    own = (ALIASES.c.skeleton == keys["skeleton"]) | (ALIASES.c.fold == keys["fold"])
    db.execute(sa.delete(ALIASES).where(own & (ALIASES.c.account_id == account_id)))
    values = keys | {"alias": alias, "account_id": account_id, "since_utc_ns": now_utc_ns}
    try:
        with db.begin_nested():
            db.execute(sa.insert(ALIASES), values)
    except sa.exc.IntegrityError:  # another process took it since we looked (PostgreSQL)
        raise Conflict(text("The alias {alias} is taken: choose another.", alias=repr(alias))) from None


def add_account(db: sa.Connection, account_id: str, alias: str, name: str, now_utc_ns: int) -> AccountRecord:
    """Create an account under a checked alias. Raises Conflict."""
    check_free(db, alias)
    made = AccountRecord(account_id, alias, name, now_utc_ns)
    values = {"account_id": account_id, "alias": alias, "name": name, "created_utc_ns": now_utc_ns}
    db.execute(sa.insert(ACCOUNTS), values)
    take_alias(db, alias, account_id, now_utc_ns)
    caller = Caller(account_id, alias, name)
    after = {"alias": alias, "name": name}
    audit.record(db, caller, now_utc_ns, "account.create", f"account:{account_id}", None, after)
    return made


def display_name(name: str, alias: str) -> str:
    """The name beside the alias, as names of people are written; the alias itself without one. Raises Refused."""
    return person_name(name) if name.strip() else alias


def credentials_of(db: sa.Connection, account_id: str) -> list[CredentialRecord]:
    """The account's credentials, the oldest first."""
    query = sa.select(CREDENTIALS).where(CREDENTIALS.c.account_id == account_id).order_by(CREDENTIALS.c.created_utc_ns)
    return [
        CredentialRecord(row.credential_id, row.kind, row.label, row.created_utc_ns, row.used_utc_ns)
        for row in db.execute(query)
    ]
