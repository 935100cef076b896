"""`raceday sync status`: what is posted, what waits and why, and whether the leaderboard shows the same."""

import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.errors import BadInput, StorageError
from shared.protocol.results import Result, decode_result
from station.config import StationConfig
from station.store.database import has_table, open_reading, storage_errors
from station.sync.attempts import PostingRecord, read_records
from station.sync.build import STATION_DATABASE, leaderboard_of
from station.sync.operator.reconciliation import RaceComparison, ShownScore, compare
from station.sync.operator.status import DATABASE, SyncStatusReader
from station.sync.outbox_reader import OutboxReader
from station.views.system_views import SyncView


@runtime_checkable
class ShowsStandings(Protocol):
    """A driver whose leaderboard can be read, too."""

    def standing(self, race_id: str) -> list[ShownScore] | str:
        """The rows of a race's standing, or why there are none."""


@dataclass(frozen=True, slots=True)
class ComparedRace:
    """A race with the comparison, or the sentence that says why there is none."""

    race_id: str
    comparison: RaceComparison | None
    sentence: str


def print_status(config: StationConfig, say: Callable[[str], None], *, offline: bool, as_json: bool) -> int:
    """Print the status; 1 if something differs or was rejected, else 0. Raises OperatorError."""
    if not config.data_dir.is_dir():
        raise StorageError(f"{config.data_dir}: there is no such folder; start the station first.")
    posted, due = _confirmed(config.data_dir)
    reader = SyncStatusReader(config.data_dir, configured=bool(config.sync.leaderboard_url))
    view = reader.view(due)
    reader.close()
    races = [] if offline or not config.sync.leaderboard_url else _compared(config, posted)
    say(_document(view, races) if as_json else "\n".join(_lines(view, races)))
    differs = any(race.comparison is not None and race.comparison.differences for race in races)
    return 1 if differs or view.rejected else 0


def _confirmed(data_dir: pathlib.Path) -> tuple[list[Result], int]:
    """The newest confirmed revision of each result, and how many rows the outbox has."""
    source = OutboxReader(data_dir / STATION_DATABASE)
    rows = source.new_rows()
    source.close()
    states = {record.webhook_id: record.state for record in _records(data_dir / DATABASE)}
    newest: dict[str, Result] = {}
    for row in sorted(rows, key=lambda each: each.revision):
        if states.get(row.webhook_id) != "confirmed":
            continue
        try:
            newest[row.result_id] = decode_result(row.payload)
        except BadInput:
            newest.pop(row.result_id, None)  # sync itself says that this row cannot be posted
    return list(newest.values()), len(rows)


def _records(path: pathlib.Path) -> list[PostingRecord]:
    if not path.exists():
        return []
    db = open_reading(path)
    try:
        with storage_errors(path):
            ready = has_table(db, "answers")
        return read_records(db, path) if ready else []
    finally:
        db.close()


def _compared(config: StationConfig, posted: list[Result]) -> list[ComparedRace]:
    race_ids = sorted({result.race_id for result in posted})
    leaderboard = leaderboard_of(config.sync)
    try:
        if not isinstance(leaderboard, ShowsStandings):
            why = f"the driver `{config.sync.driver}` cannot read a standing"
            return [ComparedRace(race_id, None, why) for race_id in race_ids]
        return [_compared_race(leaderboard, race_id, posted) for race_id in race_ids]
    finally:
        leaderboard.close()


def _compared_race(leaderboard: ShowsStandings, race_id: str, posted: list[Result]) -> ComparedRace:
    shown = leaderboard.standing(race_id)
    if isinstance(shown, str):
        return ComparedRace(race_id, None, shown)
    return ComparedRace(race_id, compare(race_id, posted, shown), "")


def _lines(view: SyncView, races: list[ComparedRace]) -> list[str]:
    lines = [
        view.sentence,
        f"{view.due} due, {view.posted} posted, {view.pending} waiting, {view.rejected} rejected; "
        f"the sync service {'runs' if view.alive else 'does not run'}.",
    ]
    lines += [f"  {problem.sentence}" for problem in view.troubles]
    for race in races:
        lines.append(_race_line(race))
        lines += [f"  {each}" for each in (race.comparison.differences if race.comparison else ())]
    return [str(line) for line in lines]


def _race_line(race: ComparedRace) -> str:
    if race.comparison is None:
        return f"{race.race_id}: not compared: {race.sentence}"
    found = race.comparison
    verdict = f"{len(found.differences)} differ" if found.differences else "theirs and ours agree"
    return (
        f"{race.race_id}: {verdict} ({found.ours} racers of ours, {found.theirs} in the standing, "
        f"{found.others} timed elsewhere)."
    )


def _document(view: SyncView, races: list[ComparedRace]) -> str:
    counts = {"due": view.due, "posted": view.posted, "waiting": view.pending, "rejected": view.rejected}
    shown = [
        {
            "race": race.race_id,
            "compared": race.comparison is not None,
            "sentence": race.sentence,
            "differences": [] if race.comparison is None else [str(each) for each in race.comparison.differences],
        }
        for race in races
    ]
    problems = [str(problem.sentence) for problem in view.troubles]
    document = counts | {"running": view.alive, "sentence": str(view.sentence), "problems": problems, "races": shown}
    return json.dumps(document, indent=2, ensure_ascii=False)
