"""What the league asks of accounts: whose an alias is, and what an account is called."""

from typing import NamedTuple, Protocol

import sqlalchemy as sa


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
