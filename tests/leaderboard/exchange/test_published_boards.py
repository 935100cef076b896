"""Every published board in the shared data: each row's score and place are those that were published."""

import csv
import json
import pathlib
from typing import Any

import pytest

from leaderboard.core.access import ADMIN
from leaderboard.exchange.csv_table import examined
from leaderboard.exchange.importing import import_file
from leaderboard.exchange.league.rows import TIMING_METHODS
from leaderboard.exchange.request import ImportRequest, NewRaceOfImport
from leaderboard.store.database import Store, open_store
from shared.rules.ranking import RaceRules
from tests.leaderboard.exchange.boards import NOW, exported, ranked


def check_boards(store: Store, folder: pathlib.Path, boards: list[dict[str, Any]]) -> None:
    """Import each board into a race of its own, and compare its standing with what was published."""
    for board in boards:
        race_id = board["file"].removesuffix(".csv")
        method = TIMING_METHODS[board["timing_method"]]
        rules = RaceRules(method=method, consecutive_laps=board["minimum_laps"], max_laps=board["total_laps"])
        request = ImportRequest(race_id, "league", create=NewRaceOfImport(race_id, "Track", rules))
        with (folder / board["file"]).open("rb") as data:
            report = import_file(store, request, examined(board["file"], data), ADMIN, NOW)
        assert report.outcome == "imported", report.errors
        published = list(csv.DictReader((folder / board["file"]).read_text().splitlines()))
        expected = [(int(row["Rank"]), row["Racer"], int(row["RankingScore"])) for row in published]
        assert ranked(store, race_id) == expected, board["file"]
        assert (report.rows, report.ranked) == (board["rows"], board["rows"])
        assert exported(store, race_id).encode() == (folder / board["file"]).read_bytes()


@pytest.mark.shared_data
def test_every_published_score_and_place_is_reproduced(shared_data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder = shared_data / "leaderboards"
    store = open_store(tmp_path / "a.db")
    check_boards(store, folder, json.loads((folder / "boards.json").read_text()))
    store.close()
