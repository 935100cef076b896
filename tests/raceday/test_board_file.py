"""Published boards as programs write them: separators, encodings, headings, numbers; what is unclear is refused."""

import csv
import io
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.__main__ import main
from raceday.rank import rank_csv
from shared.boards.board_file import count, milliseconds, rows, two_ways
from shared.boards.board_text import mended
from shared.errors import BadInput
from shared.rules.ranking import RaceRules

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
    # An alias is an account where UserId says so: two are told apart, and one counts once, with its best.
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
        written(head="\n\r\n"),
        written(head=",,\n  \n"),
        written(head='"","",""\n'),
        written(";", head='"sep=;"\n'),
        written(";", head="\nSEP=;;;\n;;\n"),
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
        ("\n,,\nRacer,AvgLapTime\nBob,fast\n", "line 4: AvgLapTime is 'fast'"),
        ('\n"sep=;"\n\nRacer;AvgLapTime\nBob;fast\n', "line 5: AvgLapTime is 'fast'"),
        ("\n\nName,AvgLapTime\nAnn,9812\n", "b.csv, line 3: the column Racer is missing"),
        ("", "b.csv, line 1: the column Racer is missing"),
        ("", "the column Racer is missing; this ranking needs Racer (or Alias) and AvgLapTime"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, sentence: str) -> None:
    assert sentence in refused(text)


def test_too_few_laps_are_not_ranked_however_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Racer;AvgLapTime;LapCount\nAnn;8000;2,0\nBob;9900;3,0\nCy;9950;\nDee;;1\n"
    assert [(p.racer, p.score_ms) for p in rank_csv(text, AVERAGE, "b")] == [("Bob", 9900), ("Cy", 9950)]
    assert "2 of 4 rows have fewer than 3 laps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "heading",
    [
        "LapCount", "Laps", "# Laps", "NumLaps", "num_laps", "Number of laps", "CompletedLaps", "Completed Laps",
        "LapsCompleted", "Lap Counts", "TotalLaps", "Total laps", "No. of laps", "Laps done", "LAPS FINISHED",
    ],
)  # fmt: skip
def test_a_count_of_laps_is_known_by_many_names(heading: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"Racer,{heading},AvgLapTime\nAnn,2,8000\nBob,3,9900\n"
    assert [p.racer for p in rank_csv(text, AVERAGE, "b")] == ["Bob"]
    assert capsys.readouterr().err == "raceday rank: 1 of 2 rows have fewer than 3 laps and are not ranked.\n"


def test_the_columns_own_name_comes_first() -> None:
    text = "Racer,TotalLaps,AvgLapTime,LapCount\nAnn,9,8000,2\nBob,1,9900,3\n"
    assert [p.racer for p in rank_csv(text, AVERAGE, "b")] == ["Bob"]
    assert "the columns 2 and 3 ('NumLaps' and 'Total laps') are both the LapCount" in refused(
        "Racer,NumLaps,Total laps,AvgLapTime\nAnn,9,2,8000\n"
    )


def test_a_count_that_nobody_filled_in_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(rank_csv("Racer,LapCount,AvgLapTime\nAnn,,9812\nBob,,9900\n", AVERAGE, "b")) == 2
    assert "the board has no LapCount" in capsys.readouterr().err


@pytest.mark.parametrize("heading", [
        "Valid laps", "Lap", "Lap Number", "laps ok", "Lap\u00a0Qty", "Good_Laps", "Timed Laps", "timed lap",
        "Laps recorded", "Recorded laps", "Recorded Lap Count", "Laps (best of 3)", "Laps in best run", "LapsLastRun",
        "Laps (first attempt)", "Lap count (last run)", "Best run's laps", "Average laps", "Number of the laps",
        "Fast laps", "No of laps driven last",
    ],
)  # fmt: skip
def test_what_may_be_a_count_of_laps_is_asked_about(heading: str) -> None:
    text = f"Racer,AvgLapTime,{heading}\nAnn,8000,2\n"
    assert "b.csv, line 1: " in refused(text)
    assert "may say how many laps there are: call it LapCount if so, or leave it out (column 3)." in refused(text)
    known = f"Racer,AvgLapTime,{heading},LapCount\nAnn,8000,2,3\n"
    assert [p.racer for p in rank_csv(known, AVERAGE, "b")] == ["Ann"]


@pytest.mark.parametrize(
    "heading",
    [
        "Last lap",
        "Lap 1",
        "lap2",
        "Fastest Lap",
        "Lap gap",
        "Gap to best lap",
        "Elapsed",
        "Lap (ms)",
        "Median lap",
        "x",
        "Laps behind",
        "Laps down",
        "Laps led",
        "Time of best laps",
        "Best 3 laps time",
        "Laps gap",
        "Best laps (ms)",
        "LapTimes",
        "Best lap number",
        "Recorded lap",
    ],
)
def test_what_is_no_count_of_laps_is_passed_over_and_said(heading: str, capsys: pytest.CaptureFixture[str]) -> None:
    placed = rank_csv(f"Racer,AvgLapTime,{heading}\nAnn,9812,8000\n", AVERAGE, "b")
    assert [(p.racer, p.score_ms) for p in placed] == [("Ann", 9812)]
    assert "the board has no LapCount: no row is left out for fewer than 3 laps" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["9.81", "9,8", "12.34", "9", "999", "0009", "999.9999", "128.25", "59,99", "1.5"])
def test_seconds_are_not_taken_for_milliseconds(text: str) -> None:
    message = refused(f"Racer;LapCount;AvgLapTime\nAnn;3;9812\nBob;3;{text}\n")
    assert f"b.csv, line 3: AvgLapTime is '{text}', shorter than any lap: times are in milliseconds" in message
    assert "or as 0:09.812 (column 3)" in message


@pytest.mark.parametrize(("text", "ms"), [("1000", 1000), ("1000.5", 1000), ("0:00.999", 999), ("0:09.81", 9810)])
def test_what_is_milliseconds_or_a_time_is_taken(text: str, ms: int) -> None:
    assert [p.score_ms for p in rank_csv(f"Racer,AvgLapTime\nAnn,{text}\n", AVERAGE, "b")] == [ms]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("A\0nn", "line 2: a racer's name holds U+0000 NULL, which is a command, not a character: leave it out"),
        ("Ann\u202egnp", "holds U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("A\u200bnn", "holds U+200B ZERO WIDTH SPACE"),
        ("Jos\x9be", "holds U+009B"),
        ("x" * 300, "1 to 256 characters"),
        ("Jos\u00c3\u00a9", "which was 'Jos\u00e9' before its UTF-8 was read as something else"),
        ("\u00e5\u00b1\u00b1\u00e7\u201d\u00b0", "which was '\u5c71\u7530' before"),
        ("\u00d0\u02dc\u00d0\u00b2\u00d0\u00b0\u00d0\u00bd", "which was '\u0418\u0432\u0430\u043d' before"),
        ("\u00f0\u0178\x8f\u017d", "which was '\U0001f3ce' before"),
        ("Pawe\u00c5\u201a", "which was 'Pawe\u0142' before"),
        ("Ay\u00c5\u0178e", "which was 'Ay\u015fe' before"),
        ("Ren\u00c3\u00a9 O\u2019Neill", "which was 'Ren\u00e9 O\u2019Neill' before"),
    ],
)
def test_a_name_that_is_none_is_refused_with_its_place(name: str, words: str) -> None:
    message = refused(f'Place,Racer,AvgLapTime\n1,"{name}",9812\n')
    assert words in message
    assert message.startswith("b.csv, line 2: ")
    assert message.endswith("(column 2).")


@pytest.mark.slow
@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Cf", "Zs"]), min_size=1, max_size=20))
def test_letters_read_as_something_else_are_seen(name: str) -> None:
    wrong = "".join(
        bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in name.encode()
    )
    western = [sign for sign in name if "\u00a0" <= sign <= "\u00ff"]
    assert mended(wrong) == name if western and len(western) == sum(s > "~" for s in name) else True


@pytest.mark.parametrize(
    "name",
    [
        "Jos\u00e9",
        "S\u00c3O",
        "\u00c9\u00abx\u00bb",
        "Stra\u00df\u201d",
        "\u5c71\u7530",
        "\u0418\u0432\u0430\u043d",
        "\u00c5sa",
        "P\u00c5\u2019s",
        "TV\u00c5\u2013EN",
        "\u00d1",
    ],
)
def test_names_as_they_are_written_are_left_alone(name: str) -> None:
    assert mended(name) == ""
    assert [p.racer for p in rank_csv(f"Racer,AvgLapTime\n{name},9812\n", AVERAGE, "b")] == [name]


@pytest.mark.parametrize(
    "other", ["ANN LEE", "ann  lee", "Ann\u00a0Lee", "\uff21nn Lee", "Ann\u3000Lee", "Ann\tLee", "ann lee"]
)
def test_all_spellings_of_one_name_are_one_racer(other: str) -> None:
    text = f"Racer;AvgLapTime\n{other};9900\nAnn Lee;9800\nJos\u00e9;9950\nJose\u0301;9940\n"
    assert [(p.racer, p.score_ms) for p in rank_csv(text, AVERAGE, "b")] == [("Ann Lee", 9800), ("Jos\u00e9", 9940)]


def test_a_row_without_an_id_is_of_the_one_account_of_its_name() -> None:
    text = "Alias,AvgLapTime,UserId\nann,9900,\nAnn,9800,u1\nbob,9700,u2\nBOB,9600,u2\nann,9500,\ncy,9990,\nCy,9980,\n"
    placed = [(p.racer, p.score_ms) for p in rank_csv(text, AVERAGE, "b")]
    assert placed == [("ann", 9500), ("BOB", 9600), ("Cy", 9980)]
    message = refused("Alias,AvgLapTime,UserId\nann,9900,u1\nAnn,9800,u2\nANN,9700,\n")
    assert "line 4: the row has no UserId, and 2 accounts are called 'ANN': say which one it is (column 3)" in message


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_an_encoding_that_was_guessed_is_said(
    encoding: str, message: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "board.csv"
    path.write_bytes("Racer,AvgLapTime,LapCount\nJos\u00e9,9812,3\n".encode(encoding))
    assert main(["rank", "--method", "average", str(path)]) == 0
    sentence = f"raceday rank: {path} was read as {message}: look at the names, or save it as CSV in UTF-8.\n"
    assert capsys.readouterr().err == (sentence if message else "")


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be"])
def test_utf_32_is_named(encoding: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    path.write_bytes("\ufeff".encode(encoding) * (encoding != "utf-32") + "Racer,AvgLapTime\n".encode(encoding))
    assert main(["rank", "--method", "average", str(path)]) == 2
    assert "is text in UTF-32, which is not supported: save it as CSV in UTF-8" in capsys.readouterr().err


def test_what_is_no_text_is_one_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    for data in (b"Racer\x81,AvgLapTime\n", b"\xff\xfeR\0a", b"\xef\xbb\xbf\xff"):
        path.write_bytes(data)
        assert main(["rank", "--method", "average", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@given(st.text() | st.text(st.sampled_from('Racer,;\t"\n\rAvgLapTime019.:')))
def test_any_text_is_a_board_or_one_sentence(text: str) -> None:
    try:
        parsed = list(rows(text, "AvgLapTime", "b"))
    except BadInput:
        return
    assert all(row.line >= 2 for row in parsed)


@given(st.integers(1, 10**9))
def test_every_time_is_read_as_it_is_printed(ms: int) -> None:
    minutes, rest = divmod(ms, 60_000)
    assert milliseconds(f"{minutes // 60}:{minutes % 60:02d}:{rest / 1000:06.3f}") == ms if minutes < 60_000 else True
    assert milliseconds(str(ms)) == milliseconds(f"{ms}.0") == milliseconds(f"{ms},7") == ms
    assert not two_ways(str(ms))
