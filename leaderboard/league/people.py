"""What the league asks of accounts: whose an alias is, and what an account is called."""

from typing import NamedTuple, Protocol

import sqlalchemy as sa

from leaderboard.core.alias import fold
from leaderboard.store.tables import ACCOUNTS, ALIASES


class KnownPerson(NamedTuple):
    """An account: its id, its alias, and the name beside it."""

    account_id: str
    alias: str
    name: str


class PeopleBook(Protocol):
    """Finds accounts within a transaction."""

    def by_alias(self, db: sa.Connection, alias: str) -> KnownPerson | None:
        """The account with this alias, in whatever case; None if there is none."""
        ...

    def by_id(self, db: sa.Connection, account_id: str) -> KnownPerson | None:
        """The account of this id; None if there is none (any more)."""
        ...


class AccountPeople:
    """The people who have accounts on this leaderboard."""

    def by_alias(self, db: sa.Connection, alias: str) -> KnownPerson | None:
        written = alias.strip()
        if not written.isprintable() or len(written) > _LONGEST:
            return None  # PostgreSQL fails on text that no alias can be
        # Also one that the account had before it was renamed: it stays taken.
        theirs = sa.select(ALIASES.c.account_id).where(ALIASES.c.fold == fold(written)).scalar_subquery()
        return _person(db, ACCOUNTS.c.account_id == theirs)

    def by_id(self, db: sa.Connection, account_id: str) -> KnownPerson | None:
        return _person(db, ACCOUNTS.c.account_id == account_id)


_LONGEST = 200


def _person(db: sa.Connection, where: sa.ColumnElement[bool]) -> KnownPerson | None:
    columns = (ACCOUNTS.c.account_id, ACCOUNTS.c.alias, ACCOUNTS.c.name)
    row = db.execute(sa.select(*columns).where(where & ACCOUNTS.c.deleted_utc_ns.is_(None))).first()
    return None if row is None else KnownPerson(*row)
