"""The laps of a run as a small line: where its points lie, what is left out, and how short it stays."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.drawing.sparkline import HEIGHT, VIEW_BOX, WIDTH, SparkLap, Sparkline, sparkline

POINT = re.compile(r"[ML](\d+) (\d+)")


def laps(times_ms: list[int | None], scored: range = range(0)) -> list[SparkLap]:
    return [SparkLap(lap_ms, place in scored) for place, lap_ms in enumerate(times_ms)]


@pytest.mark.parametrize(("times_ms", "scored", "line", "marks"), [
    ([9000, 12000, 10500], range(1, 3), "M3 17L13 3L23 10", "M13 3h0M23 10h0"),
    ([9000, 9000, 9000], range(3), "M3 17L13 17L23 17", "M3 17h0M13 17h0M23 17h0"),
    ([10000, 10001], range(0), "M3 17L13 17", ""),  # a millisecond makes no mountain
    ([10000, 10250], range(0), "M3 17L13 10", ""),
    ([10000, 60000, 12500], range(1), "M3 17L13 3L23 10", "M3 17h0"),  # nor does a spin flatten the others
    ([9000, None, 12000, 9000], range(2, 4), "M3 17M23 3L33 17", "M23 3h0M33 17h0"),
    ([None, 9000, 9000], range(0), "M13 17L23 17", ""),
])  # fmt: skip
def test_points(times_ms: list[int | None], scored: range, line: str, marks: str) -> None:
    assert sparkline(laps(times_ms, scored)) == Sparkline(line, marks)


@pytest.mark.parametrize("times_ms", [[], [9000], [None, None, None], [None, 9000, None]])
def test_less_than_two_laps_are_no_line(times_ms: list[int | None]) -> None:
    assert sparkline(laps(times_ms)) is None


@pytest.mark.parametrize(("first", "shown"), [(0, 0), (100, 20), (197, 37)])
def test_of_a_long_run_the_laps_around_the_score_are_shown(first: int, shown: int) -> None:
    made = sparkline(laps([9000] * 200, range(first, first + 3)))
    assert made is not None
    points = POINT.findall(made.line)
    assert len(points) == 40
    assert points.index(POINT.findall(made.marks)[0]) == shown
    assert made.marks.count("h0") == 3
    assert len(made.line) < 300


@given(st.lists(st.one_of(st.none(), st.integers(1, 10**9)), max_size=80))
def test_every_point_lies_within_the_view_box(times_ms: list[int | None]) -> None:
    made = sparkline(laps(times_ms, range(5, 8)))
    points = POINT.findall(made.line + made.marks) if made is not None else []
    assert all(2 <= int(x) <= WIDTH - 2 and 2 <= int(y) <= HEIGHT - 2 for x, y in points)
    assert f"0 0 {WIDTH} {HEIGHT}" == VIEW_BOX
