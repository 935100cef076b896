"""Searching a board and turning its pages by its address: works without a script."""

from dataclasses import dataclass

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import UnknownRacer
from leaderboard.core.race import Venue
from leaderboard.snapshots import AROUND, Part, Snapshot, StandingRow
from leaderboard.store.ranking.windows import FOUND_AT_ONCE, ManyNames

MAX_QUERY = 200


@dataclass(frozen=True, slots=True)
class BoardSearch:
    """What a reader asked of a board: a racer's name, only the lines around that one, or those behind a cursor."""

    racer: str = ""
    around: bool = False
    after: str = ""

    @property
    def is_part(self) -> bool:
        """Whether only a part of the board is wanted, which is not live."""
        return bool(self.racer.strip() or self.after)


EVERYTHING = BoardSearch()


def searched(
    board: LeaderboardService,
    race_id: str,
    limit: int,
    table: Venue | None,
    search: BoardSearch,
    many_names: ManyNames,
) -> tuple[Snapshot, StandingRow | None]:
    """The lines that were asked for, and the one that they are around; none where nobody has the name.

    `many_names` as Part has it. Raises UnknownRace, Refused, BadInput, RateLimited.
    """
    racer = search.racer.strip()
    if search.after:
        return board.snapshot(race_id, limit, table, Part(after=search.after)), None
    if not racer:
        return board.snapshot(race_id, limit, table), None
    if not search.around:
        return board.snapshot(race_id, FOUND_AT_ONCE, table, Part(search=racer, many_names=many_names)), None
    try:
        own = board.snapshot(race_id, 1, table, Part(around=racer))
    except UnknownRacer:
        own = board.snapshot(race_id, 1, table, Part(search=racer, many_names=many_names))
    if not own.rows:
        return own, None
    middle = own.rows[0]
    return board.snapshot(race_id, AROUND, table, Part(around=middle.placed.racer)), middle
