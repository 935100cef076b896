"""Boards as strangers write them: no row is lost, every change is remarked on, and one error leaves nothing."""

import csv
import io
import itertools
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import Conflict, UnknownRace
from leaderboard.core.states import RaceStage
from leaderboard.exchange.import_names import ImportNames
from leaderboard.exchange.report import refusal_sentence
from leaderboard.store import race_rows
from leaderboard.store.database import Store, open_store
from leaderboard.store.ranking import line_rows
from leaderboard.store.tables import AUDIT, RACES, RESULTS
from shared.boards.spreadsheet_cells import neutralised
from shared.errors import BadInput, Refused
from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules
from tests.leaderboard.exchange.boards import brought, exported, league, new_race, numbered, ranked, rows_of
from tests.leaderboard.sample_races import race


def ranks(*scores: tuple[str, int]) -> list[tuple[int, str, int]]:
    return [(place, name, score) for place, (name, score) in enumerate(scores, 1)]


ODD_BOARDS: dict[str, tuple[str | bytes, list[tuple[int, str, int]]]] = {
    "semicolons": ("Alias;RankingScore;Rank\nAnn;9000;1\nBob;9100;2\n", ranks(("Ann", 9000), ("Bob", 9100))),
    "tabs": ("Rank\tRankingScore\tAlias\n1\t9000\tAnn\n", ranks(("Ann", 9000))),
    "declared": ("sep=;\nAlias;RankingScore\nA,b;9000\n", ranks(("A,b", 9000))),
    "a mark": (b"\xef\xbb\xbfAlias,RankingScore\nAnn,9000\n", ranks(("Ann", 9000))),
    "utf-16": ("Alias,RankingScore\nJosé,9000\n".encode("utf-16"), ranks(("José", 9000))),
    "windows-1252": ("Alias,RankingScore\nJosé,9000\n".encode("cp1252"), ranks(("José", 9000))),
    "carriage returns": ("Alias,RankingScore\r\nAnn,9000\r\n\r\nBob,9001\r\n", ranks(("Ann", 9000), ("Bob", 9001))),
    "empty rows": ("Alias,RankingScore\n,\nAnn,9000\n,,\n\n", ranks(("Ann", 9000))),
    "floats": ("Alias,AvgLapTime,Rank\nAnn,9000.0,1.0\nBob,9100.75,2.0\n", ranks(("Ann", 9000), ("Bob", 9100))),
    "exponents": ("Alias,SubmissionTime,RankingScore\nAnn,1.6E+12,9.0E3\n", ranks(("Ann", 9000))),
    "no score": ("Alias,RankingScore,Rank\nAnn,9000,1\nBob,,\n", ranks(("Ann", 9000))),
    "not in order": ("Alias,RankingScore,Rank\nBob,9100,2\nAnn,9000,1\n", ranks(("Ann", 9000), ("Bob", 9100))),
    "equal, by rank": ("Alias,RankingScore,Rank\nBob,9000,2\nAnn,9000,1\n", ranks(("Ann", 9000), ("Bob", 9000))),
    "equal, by line": ("Alias,RankingScore\nZoe,9000\nAnn,9000\n", ranks(("Zoe", 9000), ("Ann", 9000))),
    "one name": (
        "Alias,RankingScore,UserId\nANN,9000,1\nann,9001,2\nＡｎｎ,9002,3\n",
        ranks(("ANN", 9000), ("ann", 9001), ("Ａｎｎ", 9002)),
    ),
    "twice the number": (
        "Alias,RankingScore\nA,9000\nA (2),9001\na,9002\n",
        ranks(("A", 9000), ("A (2)", 9001), ("a", 9002)),
    ),
    "no name": ("Alias,RankingScore,UserId\n,9000,u1\n", ranks(("racer of line 2", 9000))),
    "invisible": (
        "Alias,RankingScore\nA\u202eb\u200b,9000\n\u200b,9001\n",
        ranks(("Ab", 9000), ("racer of line 3", 9001)),
    ),
    "two lines": ('Alias,RankingScore\n"Ann\nMary",9000\nBob,9001\n', ranks(("Ann Mary", 9000), ("Bob", 9001))),
    "team": (
        "TeamName,Alias,AvgResets,RankingScore,UserId\nX,Ann,-1.5,9000,99999999999999999999999\n",
        ranks(("Ann", 9000)),
    ),
    "formula": ("Alias,RankingScore\n'=1+1,9000\n'@x,9001\n", ranks(("=1+1", 9000), ("@x", 9001))),
    "no times": ("Alias,SubmissionTime,RankingScore\nA,soon,9000\nB,-5,9001\n", ranks(("A", 9000), ("B", 9001))),
    "two names": ("Alias,Racer,RankingScore\nAnn,Bob,9000\n", ranks(("Ann", 9000))),
    "only a heading": ("Alias,RankingScore\n", []),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD_BOARDS)
def test_every_row_of_an_odd_board_has_its_score_and_place(shared_store: Store, what: str) -> None:
    data, expected = ODD_BOARDS[what]
    race_id = what.replace(" ", "-").replace(",", "")
    report = brought(shared_store, data, league(race_id))
    assert report.outcome == "imported", report.errors
    assert ranked(shared_store, race_id) == expected
    assert report.ranked == len(expected)


WRONG_BOARDS = {
    "empty": (b"", "the column Racer"),
    "no racer": (b"Name2,RankingScore\nA,1\n", "the column Racer"),
    "no score": (b"Alias,Rank\nA,1\n", "columns RankingScore and AvgLapTime are missing"),
    "two scores": (b"Alias,RankingScore,Score\nA,1,2\n", "columns 2 and 3"),
    "not text": (b"Alias,RankingScore\n\x81\xff\x8d,9000\n", "is not text"),
    "utf-32": ("Alias,RankingScore\nA,9000\n".encode("utf-32"), "UTF-32"),
    "an open quote": (b'Alias,RankingScore\n"A,9000\nB,9001\n', "line 2: is not CSV"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "missing"),
}


@pytest.mark.parametrize("what", WRONG_BOARDS)
def test_what_is_no_board_is_one_sentence(shared_store: Store, what: str) -> None:
    data, sentence = WRONG_BOARDS[what]
    with pytest.raises(BadInput, match=sentence):
        brought(shared_store, data, league("no-board"))
    with shared_store.read() as db, pytest.raises(UnknownRace):
        race_rows.race(db, "no-board")


def test_errors_are_by_line_and_field_and_nothing_is_applied(store: Store) -> None:
    data = (
        "Alias,RankingScore,Rank\nAnn,9000,1\nBob,soon,2\nCy,-5,3\nDee,9.812,4\nEd,9000,5,x\nFay,99999999999999999,6\n"
    )
    report = brought(store, data)
    assert report.outcome == "refused"
    assert [(error.line, error.field) for error in report.errors] == [
        (3, "RankingScore"), (4, "RankingScore"), (5, "RankingScore"), (6, "column 4"), (7, "RankingScore"),
    ]  # fmt: skip
    assert refusal_sentence(report) == (
        "board.csv, line 3, RankingScore: is 'soon', not milliseconds or a time as 1:02.345. Nothing was imported. "
        "There are 4 more errors."
    )
    assert "thousands or a fraction" in report.errors[2].what
    with store.read() as db:
        assert race_rows.heads(db) == []


def test_what_was_changed_is_in_the_report(store: Store) -> None:
    rows = ["A\u200bnn,1600000000002,3,9000,9000,9000,1,9000,u1", "ann,1600000000001,3,9000,9000,9000,3,9000,u2"]
    report = brought(store, rows_of(*rows))
    assert [(note.line, note.field) for note in report.notes] == [
        (2, "Racer"), (3, "Racer"), (3, "SubmissionTime"), (3, "Rank"),
    ]  # fmt: skip
    assert exported(store) == rows_of(*rows)  # the file's own words, all the same


def test_a_file_goes_into_a_race_once(store: Store) -> None:
    data = rows_of(*numbered([9000, 9100]))
    assert brought(store, data).outcome == "imported"
    assert brought(store, data).outcome == "imported_before"
    with pytest.raises(Refused, match="has 2 results; a published board goes into a race without any"):
        brought(store, data.replace("9100", "9200"))
    with pytest.raises(Conflict, match="leave out `create`"):
        brought(store, data.replace("9100", "9200"), league(must_be_new=True))
    with pytest.raises(Refused, match="has the rule `method` average, the import says total_time"):
        brought(store, "Alias,RankingScore\nA,1\n", league(method="total_time", given_rules=("method",)))
    with pytest.raises(UnknownRace, match="With its `timing_method` it is created"):
        brought(store, data, league("other", create=None))
    assert len(ranked(store)) == 2


@pytest.mark.parametrize("stage", ["final", "deleted"])
def test_nothing_goes_into_a_race_that_is_over(shared_store: Store, stage: RaceStage) -> None:
    with shared_store.write() as db:
        race_rows.add_race(db, race(f"over-{stage}", stage=stage), 1)
    with pytest.raises(Refused, match=f"is {stage}: nothing is imported into it"):
        brought(shared_store, "Alias,RankingScore\nA,9000\n", league(f"over-{stage}", create=None))


def test_a_dry_run_stores_nothing(store: Store) -> None:
    report = brought(store, rows_of(*numbered([9000, 9100])), league(dry_run=True))
    assert (report.outcome, report.rows, report.ranked) == ("checked", 2, 2)
    with store.read() as db:
        assert [db.execute(table.select()).first() for table in (RACES, RESULTS, AUDIT)] == [None, None, None]


def test_published_scores_stay_when_the_rules_change(tmp_path: pathlib.Path) -> None:
    board = LeaderboardService(open_store(tmp_path / "a.db"))
    brought(board.store, rows_of(*numbered([9000, 9100])))
    before = board.standings("cup")
    board.change_rules("cup", RaceRules(method="total_time", consecutive_laps=5, off_track_penalty_s=9.0), 1)
    assert board.standings("cup") == before
    assert [row.result.evidence.versions for row in board.snapshot("cup").rows] == [{"source": "import"}] * 2
    board.close()


def test_a_change_of_place_is_in_the_export(store: Store) -> None:
    data = rows_of(*numbered([9000, 9100, 9200]))
    brought(store, data)
    with store.write() as db:
        line = line_rows.lines(db, "cup", "virtual")[0]
        line_rows.set_line(db, "cup", line.key, line, None)
    got = list(csv.DictReader(io.StringIO(exported(store))))
    assert [(row["Alias"], row["Rank"], row["RankingScore"]) for row in got] == [
        ("racer-1", "", ""), ("racer-2", "1", "9100"), ("racer-3", "2", "9200"),
    ]  # fmt: skip


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def test_any_names_and_ties_keep_score_place_and_cells(store: Store) -> None:
    races = itertools.count()

    @settings(max_examples=25)
    @given(st.lists(st.tuples(names, st.integers(1000, 1003)), min_size=1, max_size=8))
    def check(rows: list[tuple[str, int]]) -> None:
        out, race_id = io.StringIO(newline=""), f"race-{next(races)}"
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("Alias", "RankingScore"))
        writer.writerows((neutralised(name), score) for name, score in rows)
        assert brought(store, out.getvalue().encode(), league(race_id)).ranked == len(rows)
        assert [score for _, _, score in ranked(store, race_id)] == sorted(score for _, score in rows)
        assert exported(store, race_id) == out.getvalue()

    check()


@given(st.lists(names, max_size=8), st.lists(names, max_size=3))
def test_no_two_rows_are_one_racer(written: list[str], before: list[str]) -> None:
    taken = {name_key(name): name for name in before}
    given_names = ImportNames(taken)
    notes: list[Any] = []
    racers = [given_names.of_row(line, name, notes).racer for line, name in enumerate(written, 2)]
    assert len({name_key(racer) for racer in racers}) == len(written)


def test_a_race_of_another_method_takes_the_column_of_its_own(store: Store) -> None:
    data = "Alias,AvgLapTime,BestLapTime,TotalLapTime\nAnn,3,2000,30000\n"
    brought(store, data, league(create=new_race("best_lap")))
    assert ranked(store) == [(1, "Ann", 2000)]
