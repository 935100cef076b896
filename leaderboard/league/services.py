"""All services of the league over one store, for api/, pages/ and app.py."""

from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.league.community import CommunityService
from leaderboard.league.moves import Follow, RaceMoves
from leaderboard.league.pictures import PictureService
from leaderboard.league.races import RaceService
from leaderboard.league.seasons import SeasonService
from leaderboard.league.series import SeriesService
from leaderboard.store.database import Store


@dataclass(frozen=True, slots=True)
class LeagueServices:
    """What organisers do with races, series, seasons, events and pictures."""

    races: RaceService
    community: CommunityService
    moves: RaceMoves
    series: SeriesService
    seasons: SeasonService
    pictures: PictureService

    @classmethod
    def over(
        cls, store: Store, changed: Callable[[str], None], community_limit: int, follow: Follow | None = None
    ) -> "LeagueServices":
        """Of this store; `changed(race_id)` is called after each commit that a race's page would show.

        `community_limit`: how many open or future community races an account may have. `follow`: see RaceMoves.
        """
        races, seasons = RaceService(store, changed), SeasonService(store)
        moves, series = RaceMoves(store, changed, follow), SeriesService(store, changed, community_limit)
        community = CommunityService(store, community_limit, changed)
        return cls(races, community, moves, series, seasons, PictureService(store, races, seasons))
