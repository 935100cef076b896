"""All services of the league over one store, for api/, pages/ and app.py."""

from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.league.moves import RaceMoves
from leaderboard.league.pictures import PictureService
from leaderboard.league.races import RaceService
from leaderboard.league.seasons import SeasonService
from leaderboard.league.series import SeriesService
from leaderboard.store.database import Store


@dataclass(frozen=True, slots=True)
class LeagueServices:
    """What organisers do with races, series, seasons, events and pictures."""

    races: RaceService
    moves: RaceMoves
    series: SeriesService
    seasons: SeasonService
    pictures: PictureService

    @classmethod
    def over(cls, store: Store, changed: Callable[[str], None]) -> "LeagueServices":
        """Of this store; `changed(race_id)` is called after each commit that a race's page would show."""
        races, seasons = RaceService(store, changed), SeasonService(store)
        moves, series = RaceMoves(store, changed), SeriesService(store, changed)
        return cls(races, moves, series, seasons, PictureService(store, races, seasons))
