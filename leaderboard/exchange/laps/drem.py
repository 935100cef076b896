"""The event manager's export of races: one row a lap, the fields of its race repeated.

Columns by guidance-for-aws-deepracer-event-management, website/src/admin/race-admin/support-functions/csvExport.ts
(MIT-0): Race ID, Username, User ID, Track, Raced By Proxy, Race Date, Lap #, Lap Time (ms), Lap Time (s), Resets,
Valid. Its best lap and its best average of a window follow from the laps by the rules of the race they go into.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import NamedTuple

from leaderboard.exchange.csv_table import CsvTable, RawRow, UploadedFile
from leaderboard.exchange.laps.runs import LapRun
from leaderboard.exchange.league.rows import iso_utc_ns
from leaderboard.exchange.report import MAX_ERRORS, Remarks, RowNote
from leaderboard.exchange.staging import staging_file
from shared.boards.board_file import plain
from shared.errors import BadInput
from shared.rules.ranking import RunLap
from shared.text import text
from shared.units import NS_PER_MS

HEADINGS = {
    "raceid": "Race ID",
    "username": "Username",
    "userid": "User ID",
    "track": "Track",
    "racedate": "Race Date",
    "lap": "Lap #",
    "laptimems": "Lap Time (ms)",
    "resets": "Resets",
    "valid": "Valid",
}
_NEEDED = ("Race ID", "Username", "Lap #", "Lap Time (ms)", "Valid")
_LONGEST_MS = 10**9


_RACES = (
    "CREATE TABLE races (id INTEGER PRIMARY KEY, race_id TEXT UNIQUE, line INTEGER, username TEXT, account TEXT, "
    "at_utc_ns INTEGER)"
)
_LAPS = "CREATE TABLE laps (race INTEGER, number INTEGER, lap_ns INTEGER, resets INTEGER, valid INTEGER)"
_BY_RACE = "CREATE INDEX laps_by_race ON laps (race, number)"
_TWICE = (
    "SELECT races.line, number, count(*) FROM laps JOIN races ON races.id = race GROUP BY race, number "
    "HAVING count(*) > 1 ORDER BY race, number LIMIT ?"
)
_IN_ORDER = (
    "SELECT id, line, race_id, username, account, at_utc_ns, number, lap_ns, resets, valid FROM races "
    "LEFT JOIN laps ON race = id ORDER BY id, number"
)


class _Race(NamedTuple):
    """The race that a row belongs to: its number here, its id, and whose it is since which line."""

    number: int
    race_id: str
    line: int
    username: str


class DremRuns:
    """The races of an export, as LapRuns has them; with `only_track` those of that track.

    Their laps wait in a temporary file. Raises BadInput for another kind of file.
    """

    def __init__(self, file: UploadedFile, only_track: str) -> None:
        table = CsvTable(file, HEADINGS)
        places = _places(table.heading, file.name)
        self.notes = Remarks()
        self.errors: list[RowNote] = []
        self._db = staging_file(_RACES, _LAPS)
        self._last: _Race | None = None
        tracks: set[str] = set()
        for row in table.rows():
            cells = {name: row.cells[at].strip() if at < len(row.cells) else "" for name, at in places.items()}
            track = cells.get("Track", "")
            if only_track and track != only_track:
                continue
            tracks.add(track)
            self._add(row, cells)
            if len(self.errors) >= MAX_ERRORS:
                break
        if len(tracks) > 1:
            what = f"the file holds {len(tracks)} ({', '.join(sorted(tracks))[:120]}): choose one of them"
            self.errors.append(RowNote(0, "Track", what))
        self._db.execute(_BY_RACE)
        for line, number, count in self._db.execute(_TWICE, (MAX_ERRORS,)):
            twice = RowNote(line, "Lap #", text("{number} is there twice in this race", number=number))
            self.errors += [twice] * min(count - 1, MAX_ERRORS)

    def __iter__(self) -> Iterator[LapRun]:
        for key, rows in groupby(self._db.execute(_IN_ORDER), key=lambda row: row[:6]):
            _, line, race_id, username, account, at_utc_ns = key
            yield LapRun(line, "drem", race_id, username, account, _in_order(row[6:] for row in rows), at_utc_ns)

    def close(self) -> None:
        """Drop the temporary file."""
        self._db.close()

    def _add(self, row: RawRow, cells: dict[str, str]) -> None:
        if not cells["Race ID"]:
            self.errors.append(RowNote(row.line, "Race ID", text("is empty")))
            return
        race = self._race(row, cells)
        if race.username != cells["Username"]:
            what = text("is another than on line {line} of the same race", line=race.line)
            self.errors.append(RowNote(row.line, "Username", what))
        if not cells["Lap #"] and not cells["Lap Time (ms)"]:
            return
        if (lap := _lap(row, cells, self.errors)) is not None:
            self._db.execute("INSERT INTO laps VALUES (?, ?, ?, ?, ?)", (race.number, *lap))

    def _race(self, row: RawRow, cells: dict[str, str]) -> _Race:
        race_id = cells["Race ID"]
        if self._last is None or self._last.race_id != race_id:
            query = "SELECT id, race_id, line, username FROM races WHERE race_id = ?"
            found = self._db.execute(query, (race_id,)).fetchone()
            self._last = self._new_race(row, cells) if found is None else _Race(*found)
        return self._last

    def _new_race(self, row: RawRow, cells: dict[str, str]) -> _Race:
        date = cells.get("Race Date", "")
        at_utc_ns = iso_utc_ns(date) if date else None
        if at_utc_ns is None or at_utc_ns <= 0:
            what = text("is {date}, not a time: the run counts from now", date=repr(date[:40]))
            self.notes.add([RowNote(row.line, "Race Date", what)])
            at_utc_ns = None
        values = (cells["Race ID"], row.line, cells["Username"], cells.get("User ID", ""), at_utc_ns)
        insert = "INSERT INTO races (race_id, line, username, account, at_utc_ns) VALUES (?, ?, ?, ?, ?) RETURNING id"
        number = self._db.execute(insert, values).fetchone()[0]
        return _Race(number, cells["Race ID"], row.line, cells["Username"])


def _places(heading: tuple[str, ...], source: str) -> dict[str, int]:
    places = {HEADINGS[word]: at for at, name in enumerate(heading) if (word := plain(name)) in HEADINGS}
    if "Fastest Lap (ms)" in [name.strip() for name in heading]:
        raise BadInput(
            text(
                "{source}: is the event manager's summary, which holds no laps: export the laps instead.", source=source
            )
        )
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise BadInput(
            text(
                "{source}: the column {missing} is missing: these are no laps of the event manager.",
                source=source,
                missing=repr(missing[0]),
            )
        )
    return places


def _lap(row: RawRow, cells: dict[str, str], errors: list[RowNote]) -> tuple[int, int, int, bool] | None:
    """A row's lap: number, time, resets, and whether it counts; None with an error."""
    number, time_ms = _decimal(cells["Lap #"]), _decimal(cells["Lap Time (ms)"])
    resets, valid = _decimal(cells.get("Resets", "") or "0"), cells["Valid"].lower()
    if number is None or number != int(number) or not 0 < number < 10**6:
        errors.append(
            RowNote(row.line, "Lap #", text("is {value}, not the number of a lap", value=repr(cells["Lap #"][:30])))
        )
    elif time_ms is None or not 0 <= time_ms < _LONGEST_MS:
        errors.append(
            RowNote(
                row.line, "Lap Time (ms)", text("is {value}, not a time in ms", value=repr(cells["Lap Time (ms)"][:30]))
            )
        )
    elif resets is None or resets != int(resets) or not 0 <= resets < 10**6:
        errors.append(
            RowNote(row.line, "Resets", text("is {value}, not a number of resets", value=repr(cells["Resets"][:30])))
        )
    elif valid not in ("true", "false"):
        errors.append(
            RowNote(row.line, "Valid", text("is {value}, neither true nor false", value=repr(cells["Valid"][:30])))
        )
    else:
        lap_ns = int(time_ms * NS_PER_MS)
        return int(number), lap_ns, int(resets), valid == "true" and lap_ns > 0
    return None


def _decimal(written: str) -> Decimal | None:
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _in_order(rows: Iterable[tuple[int | None, int, int, int]]) -> tuple[RunLap, ...]:
    """The laps, each with the time at which it ended since the first began."""
    ended_ns = 0
    laps: list[RunLap] = []
    for number, lap_ns, resets, valid in rows:
        if number is not None:  # a race without a lap
            ended_ns += lap_ns
            laps.append(RunLap(number, lap_ns, ended_ns, resets=resets, valid=bool(valid)))
    return tuple(laps)
