"""Boards for the tests of this folder: files in memory, imported into a store, and the standing that follows."""

import io
from collections.abc import Iterator
from typing import Any

from leaderboard.core.access import ADMIN
from leaderboard.exchange.csv_table import UploadedFile, examined
from leaderboard.exchange.exporting import ExportFormat, write_race
from leaderboard.exchange.importing import import_file
from leaderboard.exchange.report import ImportReport
from leaderboard.exchange.request import ImportRequest, NewRaceOfImport
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking import ranks
from leaderboard.store.ranking.windows import TableReader
from shared.rules.ranking import Method, RaceRules

NOW = 1_790_000_000_000_000_000
HEADING = "Alias,SubmissionTime,LapCount,AvgLapTime,BestLapTime,TotalLapTime,Rank,RankingScore,UserId"


def file(data: str | bytes, name: str = "board.csv") -> UploadedFile:
    return examined(name, io.BytesIO(data.encode() if isinstance(data, str) else data))


def new_race(method: Method = "average", laps: int = 1, **changes: Any) -> NewRaceOfImport:
    return NewRaceOfImport("Cup", "Oval", RaceRules(method=method, consecutive_laps=laps), **changes)


def league(race_id: str = "cup", method: Method = "average", **changes: Any) -> ImportRequest:
    values: dict[str, Any] = {"create": new_race(method)}
    return ImportRequest(race_id, "league", **(values | changes))


def brought(store: Store, data: str | bytes, request: ImportRequest | None = None) -> ImportReport:
    return import_file(store, request or league(), file(data), ADMIN, NOW)


def ranked(store: Store, race_id: str = "cup") -> list[tuple[int, str, int]]:
    """The standing: place, name as shown, score."""
    with store.read() as db:
        race = race_rows.race(db, race_id)
        rows = TableReader(db, race_id, race.tables()[0]).top(None).rows
        one = next(reversed(rows), None)  # its place by the counts of the buckets
        assert one is None or ranks.ahead_of(db, race_id, one.line.kind, one.line.rank_key)[0] == len(rows) - 1
    return [(row.placed.rank, row.name, row.placed.score_ms) for row in rows]


def exported(store: Store, race_id: str = "cup", form: ExportFormat = "league") -> str:
    out = io.StringIO(newline="")
    write_race(store, race_id, form, out, NOW)
    return out.getvalue()


def rows_of(*rows: str) -> str:
    return "\n".join((HEADING, *rows)) + "\n"


def numbered(scores: list[int]) -> Iterator[str]:
    """Rows in the order of their scores, as a league publishes them."""
    for place, score in enumerate(sorted(scores), 1):
        yield f"racer-{place},{1_600_000_000_000 + place},3,{score},{score},{score},{place},{score},u{place}"
