"""What organiser and officials do with a race, through the services that the product does it with, as an admin."""

from leaderboard.board import LeaderboardService
from leaderboard.core.access import ADMIN
from leaderboard.core.race import RaceRecord
from leaderboard.league.entries import EntryService
from leaderboard.league.moves import RaceMoves
from leaderboard.league.people import AccountPeople
from leaderboard.league.races import RaceService


def enter(board: LeaderboardService, race_id: str, racer: str, name: str, now_utc_ns: int) -> bool:
    """Register a racer without an account; whether that is new."""
    entries = EntryService(board.store, AccountPeople(), board.changed)
    return entries.register(ADMIN, race_id, racer, name, now_utc_ns)[1]


def entry(board: LeaderboardService, race_id: str, racer: str) -> tuple[str, str]:
    """The racer and the name of the entry that this spelling finds; nothing is stored or changed by asking."""
    runs = board.racer_runs(race_id, racer)
    return runs.racer, runs.name


def close_race(board: LeaderboardService, race_id: str, closed: bool, now_utc_ns: int) -> RaceRecord:
    """Close a race, or open it again."""
    return RaceMoves(board.store, board.changed).set_closed(ADMIN, race_id, closed, now_utc_ns)


def move_close(board: LeaderboardService, race_id: str, closes_utc_ns: int | None, now_utc_ns: int = 1) -> RaceRecord:
    """Move the planned close, or (None) remove it."""
    settings = {"closes_utc_ns": closes_utc_ns}
    return RaceService(board.store, board.changed).change(ADMIN, race_id, settings, now_utc_ns)
