"""`raceday rank` on the real boards, shuffled; and on what is no board."""

import csv
import io
import json
import pathlib
import random

import pytest

from raceday.__main__ import main
from raceday.rank import rank_csv
from shared.rules.ranking import RaceRules

METHOD = {"TOTAL_TIME": "total_time", "BEST_LAP_TIME": "best_lap", "AVG_LAP_TIME": "average"}


def test_every_real_board_is_ranked_as_published(
    shared_data: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boards = json.loads((shared_data / "leaderboards" / "boards.json").read_text())
    assert len(boards) == 14
    for board in boards:
        published = list(csv.DictReader((shared_data / "leaderboards" / board["file"]).read_text().splitlines()))
        shuffled = _shuffled(shared_data / "leaderboards" / board["file"], tmp_path)
        laps = str(board["minimum_laps"])
        code = main(["rank", "--method", METHOD[board["timing_method"]], "--consecutive-laps", laps, str(shuffled)])
        ours = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert code == 0
        assert [int(row["rank"]) for row in ours] == list(range(1, len(published) + 1))
        by_racer = {row["Racer"]: row for row in published}
        scores = [int(row["RankingScore"]) for row in published]
        for row in ours:
            truth = by_racer[row["racer"]]
            assert row["score_ms"] == truth["RankingScore"]
            assert row["rank"] == truth["Rank"] or scores.count(int(row["score_ms"])) > 1


def _shuffled(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    header, *rows = path.read_text().splitlines()
    random.Random(7).shuffle(rows)
    out = folder / path.name
    out.write_text("\n".join([header, *rows]) + "\n")
    return out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Name,AvgLapTime\nbob,1000\n", "the column Racer is missing"),
        ("Racer,BestLapTime\nbob,1000\n", "the column AvgLapTime is missing"),
        ("Racer,AvgLapTime\nbob,fast\n", "line 2: AvgLapTime is 'fast', not milliseconds"),
        ("Racer,AvgLapTime\n,1000\n", "line 2: the Racer is empty"),
        ("Racer,AvgLapTime\nbob,-5\n", "line 2"),
        ("Racer,AvgLapTime\nbob,nan\n", "line 2"),
        ("", "the column Racer is missing"),
    ],
)
def test_what_is_no_board_is_one_sentence(
    text: str, sentence: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "board.csv"
    path.write_text(text)
    assert main(["rank", "--method", "average", str(path)]) == 2
    output = capsys.readouterr()
    assert sentence in output.err
    assert output.out == ""
    assert output.err.count("\n") == 1


def test_a_racer_counts_once_with_the_best_and_equal_scores_rank_in_order() -> None:
    text = "Racer,AvgLapTime,LapCount\nann,9000.9,3\nbob,9000,3\nann,12000,3\ncat,8000,2\n"
    placed = rank_csv(text, RaceRules(), "board")
    assert [(p.rank, p.racer, p.score_ms) for p in placed] == [(1, "ann", 9000), (2, "bob", 9000)]


def test_no_racer_is_a_formula_in_what_is_printed(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    path.write_text("Racer,BestLapTime,LapCount\n=1+1,9000,3\n+49 30,9001,3\n-5,9002,3\n")
    assert main(["rank", "--method", "best_lap", "--consecutive-laps", "1", str(path)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["racer"] for row in rows] == ["'=1+1", "'+49 30", "-5"]
