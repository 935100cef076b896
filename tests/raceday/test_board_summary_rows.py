"""Rows of a board that sum up the others are nobody's; and a count of laps that is blank is told, never passed over."""

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raceday.__main__ import main
from raceday.rank import rank_csv
from shared.errors import BadInput
from shared.rules.ranking import RaceRules

TOTAL = RaceRules(method="total_time")
AVERAGE = RaceRules(method="average")
HEADING = "Rank,Alias,TotalLapTime,LapCount\n"
BOARD = [("Bob", 30000, 3), ("Ann", 31000, 3), ("Cy", 34000, 3)]


def board(*rows: tuple[str, int, int], heading: str = HEADING) -> str:
    return heading + "".join(f'{place},"{name}",{ms},{laps}\n' for place, (name, ms, laps) in enumerate(rows, 1))


def refused(text: str, rules: RaceRules = TOTAL) -> str:
    with pytest.raises(BadInput) as error:
        rank_csv(text, rules, "b.csv")
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "Total", "TOTAL:", "total", " Totals ", "Grand Total", "GrandTotal", "grand_total", "Subtotal",
        "Sum", "SUM =", "Sum (3 racers)", "Total of 3 racers", "Total time", "** Total **", "[total]", "Total - 3 rows",
        "Average", "Avg", "Avg.", "Average lap", "AverageLapTime", "Average (ms)", "Mean", "Mean of all", "Median",
        "Record", "Track record", "Track record: Bob", "Lap Record (Max V.)", "Course record 2024", "Count: 3",
        "Overall", "Sub-total", "Standard deviation", "StdDev", "Best lap", "Best time", "Fastest Lap", "Max time",
        "Min. lap", "Maximum", "Summe", "GESAMT", "Durchschnitt", "Streckenrekord", "Anzahl: 3", "Moyenne", "Somme",
        "Promedio", "M\u00e9dia", "Gemiddelde", "\u0418\u0442\u043e\u0433\u043e", "\u5408\u8a08",
        "\u5e73\u5747", "\ud569\uacc4", "\u603b\u8ba1", "\u03a3", "\u2211", "\u00d8", "\uff34otal",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_row_that_is_named_so_is_nobodys(name: str, place: int) -> None:
    rows = [*BOARD[:place], (name, 29123, 3), *BOARD[place:]]
    output = refused(board(*rows))
    assert output.startswith(
        f"b.csv, line {place + 2}: the Racer is {name.strip()!r}, which looks like a row that summarises"
    )
    assert output.endswith(
        ": leave it out, or give it a UserId (in a column of that name) if a racer is called so (column 2)."
    )


@pytest.mark.parametrize("method", ["average", "best_lap", "total_time"])
def test_it_is_no_rank_by_any_method(method: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "board.csv"
    path.write_text("Racer;AvgLapTime;BestLapTime;TotalLapTime\nBob;9900;9800;30000\nTotal;9900;9800;30000\n")
    assert main(["rank", "--method", method, str(path)]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n"), "line 3" in output.err) == ("", 1, True)


@pytest.mark.parametrize(
    ("name", "ms"),
    [
        ("Max", 34000), ("Max:", 34000), ("Slowest", 34000), ("worst", 34000), ("Min", 30000), ("MIN (3)", 30000),
        ("Best", 30000), ("Fastest", 30000), ("Suma", 95000), ("Soma", 95001), ("All", 94999), ("Media", 31666),
        ("Mittel", 31667),
    ],
)  # fmt: skip
def test_where_a_person_may_be_called_so_the_figures_decide(name: str, ms: int) -> None:
    assert "line 5: the Racer is" in refused(board(*BOARD, (name, ms, 3)))
    for other in (ms + 400, ms - 400):
        placed = rank_csv(board(*BOARD, (name, other, 3)), TOTAL, "b")
        assert name in [one.racer for one in placed]
    assert len(rank_csv(board(BOARD[0], (name, BOARD[0][1], 3)), TOTAL, "b")) == 2  # of one row nothing is summed up


@pytest.mark.parametrize("rows", [BOARD, [*BOARD, ("Dee", 40000, 4)], [("E", 31000, 2), *BOARD]])
def test_what_is_the_sum_of_laps_and_times_is_nobodys_whatever_it_is_called(rows: list[tuple[str, int, int]]) -> None:
    ms, laps = sum(row[1] for row in rows), sum(row[2] for row in rows)
    for place in (0, len(rows)):
        for off in (0, 1, -2):
            text = board(*rows[:place], ("Zusammen alles", ms + off, laps), *rows[place:])
            assert f"line {place + 2}: the Racer is 'Zusammen alles', which looks like" in refused(text)
    for racer in (("Eve", ms, laps - 1), ("Eve", ms + 400, laps)):
        assert "Eve" in [one.racer for one in rank_csv(board(*rows, racer), TOTAL, "b")]


@pytest.mark.parametrize(
    "name",
    [
        "Average Joe", "Mean Machine", "Max Power", "Max V.", "Max_01", "Recordbreaker", "Total Recall",
        "Totalo", "total2", "Sum41", "Avg_Joe", "Count Dracula", "The Best", "Best Racer", "George Best", "Min-jun",
        "Mean Girl", "Sumo", "Summer", "Median Man", "Overall Winner", "Max Day", "\u5e73\u5747\u592a\u90ce",
        "123", "(2)",
    ],
)  # fmt: skip
def test_a_racer_may_have_such_a_word_in_the_name(name: str) -> None:
    assert name in [one.racer for one in rank_csv(board(*BOARD, (name, 32123, 3)), TOTAL, "b")]


@pytest.mark.parametrize("name", ["Total", "Average", "Record", "Max"])
def test_who_has_an_account_is_a_racer(name: str) -> None:
    text = "Alias,TotalLapTime,LapCount,UserId\nBob,30000,3,u1\nAnn,31000,3,u2\n"
    assert [one.racer for one in rank_csv(text + f"{name},31000,3,u3\n", TOTAL, "b")] == ["Bob", "Ann", name]
    assert "line 4" in refused(text + f"{name},31000,3,\n")


def test_two_summaries_are_two_refusals() -> None:
    for last in (("Max", 34000, 3), ("Total", 95000, 9)):
        assert "line 5" in refused(board(*BOARD, ("Min", 30000, 3), last))


def test_a_summary_that_is_left_out_for_its_laps_refuses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(rank_csv(board(*BOARD, ("Lap record", 9000, 1)), TOTAL, "b")) == 3
    assert "1 of 4 rows have fewer than 3 laps and are not ranked" in capsys.readouterr().err


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(20_000, 90_000), st.integers(3, 5)), min_size=3, max_size=12), st.data())
def test_no_racers_alone_are_a_summary(figures: list[tuple[int, int]], data: st.DataObject) -> None:
    rows = [(f"racer-{place}", ms, laps) for place, (ms, laps) in enumerate(figures)]
    assert len(rank_csv(board(*rows), TOTAL, "b")) == len(rows)  # nobody needs as long as three others together
    place = data.draw(st.integers(0, len(rows)))
    name = data.draw(st.sampled_from(["Total", "Average", "Track record", "Summe"]))
    assert f"line {place + 2}: " in refused(board(*rows[:place], (name, 25_000, 3), *rows[place:]))


LAPS = "Alias,TotalLapTime,AvgLapTime,LapCount\nBob,31000,10333,3\n"


@pytest.mark.parametrize(
    "row", ["Ann,10000,10000,\n", "Ann,10000,10000\n", "Ann,10000,10000,  \n", 'Ann,10000,10000,""\n']
)
def test_a_count_that_is_missing_where_others_have_one_is_told(row: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [one.racer for one in rank_csv(LAPS + row, TOTAL, "b")] == ["Bob"]
    where = "raceday rank: LapCount is blank in line 3 (column 4), where others have one: "
    end = "not ranked, since a total of fewer laps is the smaller: write how many there are.\n"
    assert capsys.readouterr().err == where + end
    assert [one.racer for one in rank_csv(LAPS + row, AVERAGE, "b")] == ["Ann", "Bob"]
    assert capsys.readouterr().err == where + "ranked all the same, so look whether it is 3 laps or more.\n"


@pytest.mark.parametrize(
    ("count", "lines"),
    [(2, "lines 3 and 4"), (3, "lines 3, 4 and 5"), (7, "lines 3, 4, 5, 6, 7, 8 and 1 more"), (40, "8 and 34 more")],
)
def test_many_that_are_missing_are_one_sentence(count: int, lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"r{place},{40000 + place},13000,\n" for place in range(count))
    assert len(rank_csv(LAPS + rows, TOTAL, "b")) == 1
    output = capsys.readouterr().err
    assert (output.count("\n"), f"{lines} (column 4)" in output) == (1, True)


def test_a_board_of_totals_without_any_count_is_ranked_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Alias,TotalLapTime,LapCount\nAnn,10000,\nBob,31000,\n"
    assert [one.racer for one in rank_csv(text, TOTAL, "b")] == ["Ann", "Bob"]
    assert capsys.readouterr().err == (
        "raceday rank: the board has no LapCount: no row is left out for fewer than 3 laps.\n"
    )
