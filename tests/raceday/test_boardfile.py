"""Published boards as programs write them: separators, encodings, headings, numbers; what is unclear is refused."""

import csv
import io
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.__main__ import main
from raceday.boardfile import count, milliseconds, rows, two_ways
from raceday.rank import rank_csv
from shared.errors import BadInput
from shared.ranking import RaceRules

AVERAGE = RaceRules(method="average")
PUBLISHED = (
    "Alias,SubmissionTime,LapCount,AvgLapTime,BestLapTime,TotalLapTime,AvgResets,CollisionCount,OffTrackCount,"
    "ResetCount,SubmissionCount,Rank,LeaderboardSubmissionStatusType,RankingScore,RacingDivision,UserId\n"
)


def ranked(path: pathlib.Path, capsys: pytest.CaptureFixture[str], method: str = "average") -> list[tuple[str, ...]]:
    assert main(["rank", "--method", method, str(path)]) == 0
    out = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert out[0] == ["rank", "racer", "score_ms"]
    return [tuple(line) for line in out[1:]]


def refused(text: str, rules: RaceRules = AVERAGE) -> str:
    with pytest.raises(BadInput) as error:
        rank_csv(text, rules, "b.csv")
    assert str(error.value).isprintable()
    return str(error.value)


def test_the_columns_of_the_published_boards(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    path.write_text(
        PUBLISHED + "sato,1,3,9111,8897,27333,0.0,0,0,0,2,2,RANKED,27333,,u1\n"
        "Sato,0,3,9000,8800,27000,0.0,0,0,0,1,1,SUCCESS,27000,,u0\n"
        "Sato-2,0,3,8900,8800,26700,0.0,0,0,0,1,1,SUCCESS,26700,,u1\n"
    )
    # Aliases are accounts: case tells two apart, and one account counts once, with its best.
    assert ranked(path, capsys, "total_time") == [("1", "Sato-2", "26700"), ("2", "Sato", "27000")]


TABLE = (
    ("Alias", "LapCount", "AvgLapTime"),
    ("Jos\u00e9", "3", "9812.9"),
    ("Bob, Jr.", "3.0", "9900"),
    ("Ann", "2.0", "1"),
)


def written(separator: str = ",", ends: str = "\r\n", comma: bool = False, head: str = "", tail: str = "") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=ends)
    writer.writerows([cell.replace(".9", ",9").replace(".0", ",0") if comma else cell for cell in row] for row in TABLE)
    return head + out.getvalue() + tail


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize(
    "text",
    [
        written(),
        written(";", comma=True),
        written("\t", comma=True),
        written(comma=True),  # in quotation marks
        written(ends="\n", tail=",,\n,,\n"),
        written(ends="\r", tail="\r\r"),
        written(";", head="sep=;\n", tail=";;\n"),
        written("\t", tail="\n\n\t\t\n  \n"),
        written(";", ends=";\n"),  # an empty column at the end
    ],
)
def test_however_it_was_saved(
    text: str, encoding: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "board.csv"
    path.write_bytes(text.encode(encoding))
    assert ranked(path, capsys) == [("1", "Jos\u00e9", "9812"), ("2", "Bob, Jr.", "9900")]


@pytest.mark.parametrize(
    "heading",
    [
        "Racer,AvgLapTime",
        "ALIAS,avg lap time",
        " Racer Name ,Average_Lap_Time",
        "racer,AvgLapTime (ms)",
        "\ufeffAlias,AvgLapTimeMs",
    ],
)
def test_headings_as_they_are_met(heading: str) -> None:
    assert [(p.racer, p.score_ms) for p in rank_csv(f"{heading}\nAnn,9812\n", AVERAGE, "b")] == [("Ann", 9812)]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("9812", 9812),
        ("9812.0", 9812),
        ("9812,9", 9812),
        ("9812.9999999", 9812),
        ("0009812", 9812),
        ("9 812", 9812),
        ("1\u202f209\u00a0812,5", 1_209_812),
        ("1:02.345", 62_345),
        ("00:45.123", 45_123),
        ("00:45,1239", 45_123),
        ("1:02", 62_000),
        ("0:01:02.5", 62_500),
        ("1:00:00.0", 3_600_000),
        ("100:00.001", 6_000_001),
        ("1:60.000", None),
        ("1:02:345", None),
        ("1:02:34", None),
        ("9.8E+03", None),
        ("-5", None),
        ("+5", None),
        ("nan", None),
        ("DNF", None),
        ("9812 s", None),
        ("9,812,5", None),
        ("9812.5.1", None),
        ("9 81", None),
        ("\u0669\u0668", None),
        ("9" * 17, None),
        ("", None),
        (":", None),
    ],
)
def test_times_as_they_are_written(text: str, ms: int | None) -> None:
    assert milliseconds(text) == ms


@pytest.mark.parametrize(
    ("text", "laps"), [("3", 3), ("3.0", 3), ("3,00", 3), ("2.5", None), ("three", None), ("3 laps", None)]
)
def test_laps_as_spreadsheets_write_them(text: str, laps: int | None) -> None:
    assert count(text) == laps


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Racer,AvgLapTime\nAnn,9812\nBob,fast\n", "line 3: AvgLapTime is 'fast', not milliseconds"),
        ("Racer,AvgLapTime\n\n\nBob,fast\n", "line 4: AvgLapTime is 'fast'"),
        ("sep=;\nRacer;AvgLapTime\nBob;fast\n", "line 3: AvgLapTime is 'fast'"),
        ("Racer,Place,AvgLapTime\nBob,1,fast\n", "(column 3)"),
        ("Racer,AvgLapTime\nAnn,9812,5\n", "line 2: 3 columns, the heading has 2"),
        ("Racer,AvgLapTime\nAnn\n", "line 2: AvgLapTime is ''"),
        ("Racer,AvgLapTime\nAnn,\n", "line 2: AvgLapTime is '', not milliseconds or a time as 1:02.345 (column 2)"),
        ("Racer,AvgLapTime\nAnn,0.000\n", "line 2: AvgLapTime is '0.000', not milliseconds"),
        ('Racer,AvgLapTime\nAnn,"9,812"\n', "line 2: AvgLapTime is '9,812', which may be thousands or a fraction"),
        ("Racer;AvgLapTime\nAnn;128.200\n", "line 2: AvgLapTime is '128.200', which may be thousands"),
        ("Racer,AvgLapTime,LapCount\nAnn,9812,2.5\n", "line 2: LapCount is '2.5', not a number of laps (column 3)"),
        ("Racer,AvgLapTime,LapCount\nAnn,9812,three\n", "line 2: LapCount is 'three'"),
        (",AvgLapTime\nAnn,9812\n", "the column Racer is missing"),
        ("Racer,AvgLapTime\n,9812\n", "line 2: the Racer is empty (column 1)"),
        ("Racer,Alias,AvgLapTime\na,b,9812\n", "the columns 1 and 2 ('Racer' and 'Alias') are both the Racer"),
        ("Racer,AvgLapTime,Avg Lap Time\na,1,2\n", "the columns 2 and 3"),
        ('Racer,AvgLapTime\nAnn,"98\n', "line 2: is not CSV"),
        ("Racer|AvgLapTime\nAnn|9812\n", "the column Racer is missing"),
        ("", "the column Racer is missing; this ranking needs Racer (or Alias) and AvgLapTime"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, sentence: str) -> None:
    assert sentence in refused(text)


def test_too_few_laps_are_not_ranked_however_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Racer;AvgLapTime;LapCount\nAnn;8000;2,0\nBob;9900;3,0\nCy;9950;\nDee;;1\n"
    assert [(p.racer, p.score_ms) for p in rank_csv(text, AVERAGE, "b")] == [("Bob", 9900), ("Cy", 9950)]
    assert "2 of 4 rows have fewer than 3 laps" in capsys.readouterr().err


def test_what_is_no_text_is_one_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    for data in (b"Racer\x81,AvgLapTime\n", b"\xff\xfeR\0a", b"\xef\xbb\xbf\xff"):
        path.write_bytes(data)
        assert main(["rank", "--method", "average", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@given(st.text() | st.text(st.sampled_from('Racer,;\t"\n\rAvgLapTime019.:')))
def test_any_text_is_a_board_or_one_sentence(text: str) -> None:
    try:
        found = list(rows(text, "AvgLapTime", "b"))
    except BadInput:
        return
    assert all(row.line >= 2 for row in found)


@given(st.integers(1, 10**9))
def test_every_time_is_read_as_it_is_printed(ms: int) -> None:
    minutes, rest = divmod(ms, 60_000)
    assert milliseconds(f"{minutes // 60}:{minutes % 60:02d}:{rest / 1000:06.3f}") == ms if minutes < 60_000 else True
    assert milliseconds(str(ms)) == milliseconds(f"{ms}.0") == milliseconds(f"{ms},7") == ms
    assert not two_ways(str(ms))
