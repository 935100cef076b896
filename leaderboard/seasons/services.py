"""All services of what follows from seasons over one store, for api/, pages/ and app.py."""

from dataclasses import dataclass

from leaderboard.seasons.brackets import BracketService
from leaderboard.seasons.divisions import DivisionService
from leaderboard.seasons.members import SeasonMembers
from leaderboard.seasons.standings import SeasonStandings
from leaderboard.seasons.track_records import TrackRecords
from leaderboard.store.database import Store


@dataclass(frozen=True, slots=True)
class SeasonServices:
    """Standings, members, divisions, brackets and records."""

    standings: SeasonStandings
    members: SeasonMembers
    divisions: DivisionService
    brackets: BracketService
    records: TrackRecords

    @classmethod
    def over(cls, store: Store) -> "SeasonServices":
        """Of this store."""
        return cls(
            SeasonStandings(store),
            SeasonMembers(store),
            DivisionService(store),
            BracketService(store),
            TrackRecords(store),
        )
