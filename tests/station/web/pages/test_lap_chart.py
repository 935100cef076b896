"""The lap chart: the table says all that the chart draws, and how even each run is."""

import statistics
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from station.views.trackside.commentary import CommentaryView, LapTime, RunLaps
from station.web.pages.chart.presenter import consistency, hall_chart, lap_chart
from tests.station.web.sample_views import VIEW


def laps(*times_ms: int) -> tuple[LapTime, ...]:
    return tuple(LapTime(number, each, True) for number, each in enumerate(times_ms, 1))


def run(run_id: str, racer: str, *each: LapTime, on: bool = False, counts: bool = True) -> RunLaps:
    return RunLaps(run_id, racer, 1, on, counts, None, each)


def test_runs_beside_each_other_with_what_does_not_count_marked() -> None:
    first = run("run-1", "Ann", LapTime(1, 9000, True), LapTime(2, 4000, False, held=True), LapTime(3, 65_000, False))
    chart = lap_chart([first, run("run-2", "Ben", *laps(9500), on=True), first, run("run-3", "Eve")])
    assert chart.numbers == (1, 2, 3)
    assert [(row.racer, row.note) for row in chart.rows] == [("Ann", ""), ("Ben", "on the track")]
    assert [(cell.text, cell.ms, cell.sign) for cell in chart.rows[0].cells] == [
        ("9.000", 9000, ""),
        ("4.000", None, "~"),
        ("1:05.000", None, "✕"),
    ]
    assert [(cell.number, cell.text) for cell in chart.rows[1].cells] == [(1, "9.500")]
    assert (chart.rows[0].best, chart.rows[0].average, chart.rows[0].spread) == ("9.000", "9.000", "–")


def test_of_a_long_run_the_last_laps_are_shown() -> None:
    chart = lap_chart([run("run-1", "Ann", *laps(*range(9000, 9100)))], most_laps=10)
    assert chart.numbers == tuple(range(91, 101))
    assert chart.rows[0].cells[-1].ms == 9099


def test_the_hall_sees_six_runs_each_once_and_their_newest_laps() -> None:
    leaders = [
        run(f"run-{number}", f"Racer {number}", *laps(*range(9000, 9020)), on=number == 2) for number in range(1, 8)
    ]
    story = CommentaryView((leaders[1], run("run-9", "New")), tuple(leaders))
    chart = hall_chart(replace(VIEW, commentary=story))
    assert [row.racer for row in chart.rows] == [f"Racer {number}" for number in (2, 1, 3, 4, 5, 6)]
    assert [row.on for row in chart.rows] == [True, False, False, False, False, False]
    assert chart.numbers == tuple(range(9, 21))


def test_an_empty_chart() -> None:
    assert lap_chart([]).rows == ()


@given(st.lists(st.integers(1, 3_600_000), max_size=50))
def test_consistency_is_the_standard_deviation(times: list[int]) -> None:
    even = consistency(laps(*times))
    assert (even.laps, even.best_ms) == (len(times), min(times, default=None))
    if len(times) > 1:
        assert even.spread_ms is not None
        assert even.average_ms is not None
        assert abs(even.average_ms - statistics.fmean(times)) <= 1
        assert abs(even.spread_ms - statistics.pstdev(times)) <= 1
