"""Standings as pages and the API show them: some lines of a race's table at one moment, and a racer's runs."""

import contextlib
from dataclasses import dataclass, field

import sqlalchemy as sa

from leaderboard.core.errors import UnknownRacer
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.rank import Attempt, LineKey
from leaderboard.core.states import HIDDEN
from leaderboard.store import race_rows, racer_rows, result_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking import line_rows
from leaderboard.store.ranking.decoded_results import DecodedResults
from leaderboard.store.ranking.ranks import ranked
from leaderboard.store.ranking.windows import (
    FOUND_AT_ONCE,
    ManyNames,
    TableReader,
    Window,
    WindowRow,
    cursor,
    read_cursor,
)
from shared.protocol.results import Result
from shared.rules.ranking import Placed
from shared.text import text


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One line of a board as pages and the API show it. `moved`: places gained by the last result, None if new.

    `seq`: the revision that it comes from, in the order of acceptance.
    """

    placed: Placed
    moved: int | None
    attempts: int
    name: str
    result: Result
    seq: int


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a table is read: behind a cursor, around a racer, or whose name holds some words; "": the top.

    `many_names`: lets a search read all names of a large table, or raises RateLimited.
    """

    after: str = ""
    around: str = ""
    search: str = ""
    many_names: ManyNames = field(default=contextlib.nullcontext, compare=False)


WHOLE = Part()
AROUND = 11  # lines, the racer's in the middle
MAX_ROWS = 10_000  # on one page of the API


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A race and some lines of one of its tables at one moment; `version` rises with every change.

    `table`: which one (RaceRecord.tables); `racers` are those ranked in it. `following`: the cursor behind the last
    line, None if there is no line behind it.
    """

    race: RaceRecord
    table: Venue
    version: int
    racers: int
    results: int
    rows: tuple[StandingRow, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class RacerRuns:
    """A racer in a race: the line (None: no run qualified), and all runs as posted, the newest first.

    `race` is the table of that line: the first in which the racer has one.
    """

    race: Snapshot
    racer: str
    name: str
    row: StandingRow | None
    runs: tuple[tuple[Attempt, Result], ...]


class Snapshots:
    """Reads the standings of one store, from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._results = DecodedResults()

    def standings(self, race_id: str, table: str | None = None) -> list[Placed]:
        """The places of all racers in a table (None: the race's first), best first. Raises UnknownRace, Refused."""
        with self._store.read() as db:
            shown = race_rows.race(db, race_id).table_named(table)
            return [row.placed for row in TableReader(db, race_id, shown).top(None).rows]

    def snapshot(
        self, race_id: str, limit: int | None = None, table: str | None = None, part: Part = WHOLE
    ) -> Snapshot:
        """The race and lines of a table (None: its first) of one moment: the first `limit` (None: all), or a `part`.

        Raises UnknownRace, UnknownRacer, Refused for a table that the race does not have, BadInput for a bad cursor;
        and what `part.many_names` raises.
        """
        with self._store.read() as db:
            shown = race_rows.shown(db, race_id)
            return self._snapshot(db, shown, shown.race.table_named(table), limit, part)

    def _snapshot(
        self, db: sa.Connection, shown: race_rows.ShownRace, table: Venue, limit: int | None, part: Part
    ) -> Snapshot:
        reader = TableReader(db, shown.race.race_id, table, shown.undo, self._results)
        window = _window(db, shown.race, table, reader, limit, part)
        rows = tuple(map(_standing_row, window.rows))
        following = cursor(window.rows[-1].line) if window.more and not part.search else None
        return Snapshot(shown.race, table, shown.version, reader.ranked, shown.results, rows, following)

    def racer_runs(self, race_id: str, racer: str) -> RacerRuns:
        """A racer's runs in a race, by any spelling. Raises UnknownRace, UnknownRacer."""
        with self._store.read() as db:
            shown = race_rows.shown(db, race_id)
            known = racer_rows.known_spelling(db, race_id, racer)
            runs = [] if known is None else result_rows.runs_of(db, race_id, known)
            name = None if known is None else racer_rows.entry_name(db, race_id, known)
            hidden = known is not None and racer_rows.entry_state(db, race_id, known) in HIDDEN
            if known is None or hidden or (name is None and not runs):
                raise _unknown_racer(racer)
            tables = shown.race.tables()
            table = next((t for t in tables if line_rows.line(db, race_id, LineKey(t, known)) is not None), None)
            if table is None:
                nothing = Snapshot(
                    shown.race, tables[0], shown.version, ranked(db, race_id, tables[0]), shown.results, ()
                )
                return RacerRuns(nothing, known, name or known, None, tuple(runs))
            snapshot = self._snapshot(db, shown, table, 1, Part(around=known))
        return RacerRuns(snapshot, known, name or known, snapshot.rows[0], tuple(runs))


def _standing_row(row: WindowRow) -> StandingRow:
    assert row.result is not None, "results were asked for"
    return StandingRow(row.placed, row.moved, row.line.attempts, row.name, row.result, row.line.seq)


def _window(
    db: sa.Connection, race: RaceRecord, table: Venue, reader: TableReader, limit: int | None, part: Part
) -> Window:
    if part.after:
        return reader.after(read_cursor(part.after), limit or MAX_ROWS)
    if part.around:
        known = racer_rows.known_spelling(db, race.race_id, part.around)
        line = None if known is None else line_rows.line(db, race.race_id, LineKey(table, known))
        if line is None:
            raise _unknown_racer(part.around)
        return reader.around(line, limit or AROUND)
    if part.search:
        return reader.found(part.search, limit or FOUND_AT_ONCE, part.many_names)
    return reader.top(limit)


def _unknown_racer(racer: str) -> UnknownRacer:
    return UnknownRacer(text("There is no racer {racer} in this race.", racer=repr(racer[:80])))
