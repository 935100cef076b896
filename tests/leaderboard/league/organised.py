"""The services of one store, and callers of every role, for the tests of this folder."""

import pathlib
from dataclasses import dataclass, field
from typing import Any

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller, Grant, Role, ScopeKind
from leaderboard.core.race import RaceRecord
from leaderboard.league.moves import RaceMoves
from leaderboard.league.pictures import PictureService
from leaderboard.league.races import RaceService
from leaderboard.league.seasons import SeasonService
from leaderboard.league.series import SeriesService
from leaderboard.store import audit
from shared.protocol.results import encode_result
from tests.leaderboard.core.league.test_local_time import utc
from tests.leaderboard.sample_races import race, result

NOW = utc("2027-01-04T12:00")
DAY_NS = 24 * 3600 * 10**9

__all__ = ["ADMIN", "DAY_NS", "NOW", "Organised", "person", "race", "utc"]


def person(name: str, *roles: Role, season: str = "", race_id: str = "") -> Caller:
    scope: ScopeKind = "season" if season else "race" if race_id else ""
    grants = frozenset(Grant(role, scope, season or race_id) for role in roles)
    return Caller(name, name, name, grants, f"session-of-{name}")


@dataclass
class Organised:
    """A board with the services beside it; `told`: the races that were told as changed."""

    board: LeaderboardService
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        store = self.board.store
        self.races = RaceService(store, self.told.append)
        self.moves = RaceMoves(store, self.told.append)
        self.series = SeriesService(store, self.told.append, 10)
        self.seasons = SeasonService(store)
        self.pictures = PictureService(store, self.races, self.seasons)

    @classmethod
    def at(cls, folder: pathlib.Path) -> "Organised":
        return cls(open_board(folder / "board.db"))

    def made(self, caller: Caller, race_id: str = "cup", **changes: Any) -> RaceRecord:
        self.races.create(caller, race(race_id, **changes), NOW)
        return self.races.race(caller, race_id)

    def post(self, race_id: str = "cup", racer: str = "anna", at_utc_ns: int = NOW) -> int:
        one = result(f"{race_id}-{racer}-{at_utc_ns}", racer, race_id=race_id, finished_utc_ns=at_utc_ns)
        return self.board.apply(one.webhook_id, encode_result(one), at_utc_ns).status

    def audited(self, race_id: str = "") -> list[audit.AuditRow]:
        with self.board.store.read() as db:
            return audit.rows(db, race_id=race_id)
