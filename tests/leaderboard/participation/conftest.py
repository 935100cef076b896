"""A store with the league's services over it, and a few people with accounts."""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.core.access import Caller, Grant
from leaderboard.core.race import RaceRecord
from leaderboard.league.community import CommunityService
from leaderboard.league.entries import EntryService
from leaderboard.league.invitations import InvitationService
from leaderboard.league.people import KnownPerson
from leaderboard.league.sight import RaceSight
from leaderboard.store import audit
from leaderboard.store.database import Store, open_store
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import race, result

NOW = 1_700_000_000_000_000_000
OLGA = Caller("a-olga", "olga", "Olga")
NILS = Caller("a-nils", "nils", "Nils")
ANNA = Caller("a-anna", "anna", "Anna A.")
OFFICIAL = Caller("a-otto", "otto", "Otto", grants=frozenset({Grant("official")}))
PEOPLE = {each.account_id: each for each in (OLGA, NILS, ANNA, OFFICIAL)}


class SomePeople:
    """The people above and no others."""

    def by_alias(self, db: sa.Connection, alias: str) -> KnownPerson | None:
        found = [each for each in PEOPLE.values() if each.alias == alias.casefold()]
        return self.by_id(db, found[0].account_id) if found else None

    def by_id(self, _db: sa.Connection, account_id: str) -> KnownPerson | None:
        found = PEOPLE.get(account_id)
        return None if found is None else KnownPerson(found.account_id, found.alias, found.name)


@dataclass
class League:
    """Everything over one store. `changes`: the races that a service called changed."""

    store: Store
    board: LeaderboardService
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = SomePeople()
        self.entries = EntryService(self.store, people, self.changes.append)
        self.invitations = InvitationService(self.store, people, "a secret of the server", self.changes.append)
        self.community = CommunityService(self.store, 2, self.changes.append)
        self.sight = RaceSight(self.store)

    def new_race(self, **changes: Any) -> RaceRecord:
        """A community race of Olga's, private if nothing else is said."""
        return self.community.create(OLGA, race(**{"visibility": "private", **changes}), NOW)

    def joined(self, race_id: str, *callers: Caller) -> None:
        token = self.invitations.make(OLGA, race_id, NOW)[0].token
        for caller in callers:
            self.invitations.join(caller, token, NOW)

    def post(self, race_id: str, racer: str, ms: int = 9000) -> int:
        """The status that a result of this racer gets."""
        one = result(f"{race_id}-{racer}-{ms}", racer, (ms,) * 3, race_id=race_id, finished_utc_ns=NOW)
        return self.board.apply(one.webhook_id, encode_result(one), NOW).status

    def ranked(self, race_id: str) -> list[str]:
        return [each.racer for each in self.board.standings(race_id)]

    def audited(self, race_id: str) -> list[str]:
        """What was done in this race, the oldest first."""
        with self.store.read() as db:
            return [f"{row.actor_name}: {row.what}" for row in reversed(audit.rows(db, race_id=race_id))]


@pytest.fixture
def league(tmp_path: pathlib.Path) -> Iterator[League]:
    store = open_store(tmp_path / "league.db")
    yield League(store, LeaderboardService(store))
    store.close()
