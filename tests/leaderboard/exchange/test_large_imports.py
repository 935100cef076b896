"""A large file goes by row by row, in one transaction: memory holds a part of it, and one wrong row undoes all."""

import contextlib
import dataclasses
import json
import tracemalloc
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.commands.checking import check
from leaderboard.exchange import report as reports
from leaderboard.exchange.request import ImportRequest
from leaderboard.store import audit, bulk, race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import ENTRIES, IMPORTS, RACERS, RESULTS
from shared.rules.ranking import RaceRules
from tests.leaderboard.exchange.boards import brought, exported, league, numbered, ranked, rows_of
from tests.leaderboard.sample_races import race


def test_memory_does_not_grow_with_the_file(store: Store) -> None:
    def peak(race_id: str, rows: int) -> int:
        data = rows_of(*numbered([9000 + n * 7919 % 5000 for n in range(rows)])).encode()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert brought(store, data, league(race_id)).ranked == rows
        return tracemalloc.get_traced_memory()[1] - before

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk, "_AT_ONCE", 50)
        tracemalloc.start()
        try:
            peak("first", 50)  # fills caches
            few, many = peak("few", 150), peak("many", 900)
        finally:
            tracemalloc.stop()
    assert many < 1.5 * few


def test_a_board_of_many_parts_is_as_one_of_a_single_part(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(numbered([9000, 9000, 9100, 9200, 9300, 9300, 9400]))
    rows = [*rows[4:], ",,,,,,,,", "odd,1600000000000,3,,,,,,u9", *rows[:4], "ODD,1600000000000,3,,,,,,u10"]
    whole = brought(store, rows_of(*rows), league("whole"))
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)
    parts = brought(store, rows_of(*rows), league("parts"))
    assert (parts.outcome, parts.rows, parts.ranked, parts.notes) == ("imported", 9, 7, whole.notes)
    assert ranked(store, "parts") == ranked(store, "whole")
    assert exported(store, "parts") == exported(store, "whole")
    assert check(store, "parts", repair=False) == 0


def test_a_report_holds_some_remarks_and_counts_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_NOTES", 3)
    report = brought(store, rows_of(*(f"same,1600000000000,3,{9000 + n},,,,{9000 + n},u{n}" for n in range(8))))
    assert (report.outcome, len(report.notes), report.notes_left_out) == ("imported", 3, 4)


def test_an_error_on_the_way_undoes_what_was_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules change after the check: the penalties of the run take longer than its lap then."""
    board, write = LeaderboardService(store), store.write
    fastest = RaceRules(method="best_lap", consecutive_laps=1)
    board.create_race(race("cup", rules=fastest), 1)

    @contextlib.contextmanager
    def write_after_a_change() -> Iterator[sa.Connection]:
        with write() as db:
            race_rows.change_race(db, race("cup", rules=dataclasses.replace(fastest, off_track_penalty_s=3.0)))
        with write() as db:
            yield db

    monkeypatch.setattr(store, "write", write_after_a_change)
    trial = {"elapsed_time_in_milliseconds": 5000, "completion_percentage": 100, "off_track_count": 2}
    request = ImportRequest("cup", "metrics", racer="Ann")
    report = brought(store, json.dumps({"metrics": [trial]}), request)
    assert (report.outcome, report.errors[0].field) == ("refused", "lap 1")
    with store.read() as db:
        assert [db.execute(each.select()).first() for each in (RESULTS, RACERS, ENTRIES, IMPORTS)] == [None] * 4
        assert [row.what for row in audit.rows(db)] == ["race.create_league"]
