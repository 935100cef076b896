"""The event manager's export of races: one row a lap, the fields of its race repeated.

Columns by guidance-for-aws-deepracer-event-management, website/src/admin/race-admin/support-functions/csvExport.ts
(MIT-0): Race ID, Username, User ID, Track, Raced By Proxy, Race Date, Lap #, Lap Time (ms), Lap Time (s), Resets,
Valid. Its best lap and its best average of a window follow from the laps by the rules of the race they go into.
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from leaderboard.exchange.csv_table import CsvTable, RawRow, UploadedFile
from leaderboard.exchange.laps.runs import LapRun, LapRuns
from leaderboard.exchange.league.rows import iso_utc_ns
from leaderboard.exchange.report import MAX_ERRORS, RowNote
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


@dataclass(slots=True)
class _Race:
    """One race of the export while its rows are read."""

    line: int
    username: str
    account: str
    at_utc_ns: int | None
    laps: list[RunLap] = field(default_factory=list)


def read(file: UploadedFile, only_track: str) -> LapRuns:
    """The races of the file; with `only_track` those of that track. Raises BadInput for another kind of file."""
    table = CsvTable(file, HEADINGS)
    places = _places(table.heading, file.name)
    races: dict[str, _Race] = {}
    errors: list[RowNote] = []
    notes: list[RowNote] = []
    tracks: set[str] = set()
    for row in table.rows():
        cells = {name: row.cells[at].strip() if at < len(row.cells) else "" for name, at in places.items()}
        track = cells.get("Track", "")
        if only_track and track != only_track:
            continue
        tracks.add(track)
        _add(races, row, cells, notes, errors)
        if len(errors) >= MAX_ERRORS:
            break
    if len(tracks) > 1:
        what = f"the file holds {len(tracks)} ({', '.join(sorted(tracks))[:120]}): choose one of them"
        errors.append(RowNote(0, "Track", what))
    runs = [
        LapRun(each.line, "drem", race_id, each.username, each.account, _in_order(each, errors), each.at_utc_ns)
        for race_id, each in races.items()
    ]
    return LapRuns(tuple(runs), tuple(notes), tuple(errors))


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


def _add(
    races: dict[str, _Race], row: RawRow, cells: dict[str, str], notes: list[RowNote], errors: list[RowNote]
) -> None:
    race_id = cells["Race ID"]
    if not race_id:
        errors.append(RowNote(row.line, "Race ID", text("is empty")))
        return
    if race_id not in races:
        date = cells.get("Race Date", "")
        at_utc_ns = iso_utc_ns(date) if date else None
        if at_utc_ns is None or at_utc_ns <= 0:
            notes.append(
                RowNote(
                    row.line, "Race Date", text("is {date}, not a time: the run counts from now", date=repr(date[:40]))
                )
            )
            at_utc_ns = None
        races[race_id] = _Race(row.line, cells["Username"], cells.get("User ID", ""), at_utc_ns)
    elif races[race_id].username != cells["Username"]:
        errors.append(
            RowNote(
                row.line, "Username", text("is another than on line {line} of the same race", line=races[race_id].line)
            )
        )
    if cells["Lap #"] or cells["Lap Time (ms)"]:
        _add_lap(races[race_id], row, cells, errors)


def _add_lap(race: _Race, row: RawRow, cells: dict[str, str], errors: list[RowNote]) -> None:
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
        race.laps.append(RunLap(int(number), lap_ns, 0, resets=int(resets), valid=valid == "true" and lap_ns > 0))


def _decimal(written: str) -> Decimal | None:
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _in_order(race: _Race, errors: list[RowNote]) -> tuple[RunLap, ...]:
    """The laps by number, each with the time at which it ended since the first began."""
    ended_ns, last = 0, 0
    laps: list[RunLap] = []
    for lap in sorted(race.laps, key=lambda each: each.number):
        if lap.number == last:
            errors.append(RowNote(race.line, "Lap #", text("{number} is there twice in this race", number=lap.number)))
        last, ended_ns = lap.number, ended_ns + lap.lap_ns
        laps.append(RunLap(lap.number, lap.lap_ns, ended_ns, resets=lap.resets, valid=lap.valid))
    return tuple(laps)
