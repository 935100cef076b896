"""Predicted start times of the queue: by the order, the usual length of a run, what is on the track, and now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core.queue.prediction import QueueOutlook, late_minutes, usual_run_ns
from station.core.queue.race_queue import QueueEntry
from station.views.queue_view import REFRESH_NS, queue_view, refreshed
from tests.station.core.scripted_race import QUICK, S

MIN = 60 * S
LIMITED, FREE = RaceRules(time_limit_s=180), RaceRules()


@pytest.mark.parametrize(("rules", "lasted_s", "expected_s"), [
    (LIMITED, [], 180),
    (LIMITED, [20, 30], 180),
    (LIMITED, [20, 90, 30], 30),
    (LIMITED, [20, 90, 30, 40], 35),
    (FREE, [], 120),
    (FREE, [10, 10, 11], 10),
])  # fmt: skip
def test_a_run_lasts_as_long_as_runs_did_or_may(rules: RaceRules, lasted_s: list[int], expected_s: int) -> None:
    assert usual_run_ns(rules, [each * S for each in lasted_s]) == expected_s * S


# free places on the track, now, called -> starts; all in minutes. A run takes 3, the change-over 1.
STARTS: dict[str, tuple[list[int], int, list[int | None], list[int]]] = {
    "one is on until 10": ([10], 8, [None, None], [11, 15]),
    "it takes longer": ([10], 14, [None, None], [14, 18]),
    "the track is free": ([0], 20, [None, None], [20, 24]),
    "and one is called": ([0], 20, [20, None], [21, 25]),
    "called long ago": ([0], 30, [20], [30]),
    "two on the track": ([10, 12], 8, [None, None, None], [11, 13, 15]),
    "nobody waits": ([10], 8, [], []),
}


@pytest.mark.parametrize("case", STARTS)
def test_starts(case: str) -> None:
    free, now, called, expected = STARTS[case]
    outlook = QueueOutlook(3 * MIN, tuple(each * MIN for each in free), MIN)
    starts = outlook.starts(now * MIN, [None if each is None else each * MIN for each in called])
    assert [each // MIN for each in starts] == expected


@QUICK
@given(
    st.integers(1, 600),
    st.lists(st.integers(0, 1000), min_size=1, max_size=6),
    st.integers(0, 1000),
    st.integers(0, 9),
)
def test_no_start_is_in_the_past_and_none_overtakes(run_s: int, free_s: list[int], now_s: int, count: int) -> None:
    outlook = QueueOutlook(run_s * S, tuple(each * S for each in free_s))
    starts = outlook.starts(now_s * S, [None] * count)
    assert list(starts) == sorted(starts)
    assert all(start >= now_s * S for start in starts)
    later = outlook.starts((now_s + 60) * S, [None] * count)
    assert all(after >= before for before, after in zip(starts, later, strict=True))


@pytest.mark.parametrize(("start_s", "planned_s", "minutes"), [
    (100, 0, 0), (100, 100, 0), (159, 100, 0), (160, 100, 1), (400, 100, 5), (50, 100, 0),
])  # fmt: skip
def test_minutes_late(start_s: int, planned_s: int, minutes: int) -> None:
    assert late_minutes(start_s * S, planned_s * S) == minutes


def test_the_view_moves_on_with_the_clock() -> None:
    outlook = QueueOutlook(3 * MIN, (10 * MIN,), MIN)
    view = queue_view([QueueEntry("Ann", planned_utc_ns=11 * MIN)], outlook, 8 * MIN)
    assert [(line.start_utc_ns, line.late_min) for line in view.lines] == [(11 * MIN, 0)]
    assert refreshed(view, 8 * MIN + REFRESH_NS - 1) is view
    assert refreshed(view, 9 * MIN) is view, "nothing changes before the predicted start"
    assert [(line.start_utc_ns, line.late_min) for line in refreshed(view, 14 * MIN).lines] == [(14 * MIN, 3)]
