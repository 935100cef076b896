"""The world's pace: even steps, stretched rather than leaping, and waits for an answer that end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.realtime.pacing import THINK_NS, AnswerWait, TickSchedule

TICK = 8_333_333
FRAME = 16 * 1_000_000_000 // 240


def test_on_time_the_ticks_are_even_and_count_for_when_they_were_due() -> None:
    pace = TickSchedule(TICK, 2.0, 20_000_000, base_ns=1000)
    due = [pace.due_ns()]
    for _ in range(1000):
        assert pace.ticked(pace.due_ns() + 50_000) == due[-1]
        due.append(pace.due_ns())
    assert due[-1] == 1000 + round(1001 * TICK / 2.0)
    assert pace.stretched_ns == 0


def test_a_little_late_is_caught_up_and_very_late_stretches() -> None:
    pace = TickSchedule(TICK, 1.0, 20_000_000, base_ns=0)
    pace.ticked(TICK + 19_000_000)
    assert pace.due_ns() == 2 * TICK
    late_ns = 2 * TICK + 500_000_000
    assert pace.ticked(late_ns) == late_ns
    assert pace.due_ns() == late_ns + TICK
    assert pace.stretched_ns == 500_000_000


@given(
    lateness=st.lists(st.integers(0, 10**9), max_size=60),
    rate=st.floats(0.05, 50.0),
    catch_up=st.integers(0, 10**9),
)
def test_anchors_never_go_back_and_readers_never_overtake(lateness: list[int], rate: float, catch_up: int) -> None:
    """An anchor's instant is never after its own tick, and the instants never go back."""
    pace, wall, last = TickSchedule(TICK, rate, catch_up, base_ns=0), 0, 0
    for late in lateness:
        wall = max(wall, pace.due_ns() + late)
        anchor = pace.ticked(wall)
        assert last <= anchor <= wall
        last = anchor


def test_without_patience_the_world_never_waits() -> None:
    answer_wait = AnswerWait(0, 16)
    answer_wait.on_frame_sent("car-1", 1, 0, 0)
    assert answer_wait.wait_ns(1, 10 * FRAME) == 0


@pytest.mark.parametrize(
    ("story", "waits"),
    [
        ([], True),
        ([("taken", 1, 10)], True),
        ([("pulsed", 0, 10 + THINK_NS)], True),
        ([("taken", 1, 10), ("pulsed", 0, 11)], True),
        ([("taken", 1, 10), ("pulsed", 0, 10 + THINK_NS)], False),
        ([("taken", 0, 10), ("pulsed", 0, 10 + THINK_NS)], True),
    ],
)
def test_a_frame_is_answered_when_it_was_taken_and_pulses_came_after(
    story: list[tuple[str, int, int]], waits: bool
) -> None:
    answer_wait = AnswerWait(100_000_000, 16)
    answer_wait.on_frame_sent("car-1", 1, 0, 0)
    for what, seq, wall in story:
        if what == "taken":
            answer_wait.on_frame_taken("car-1", seq, wall)
        else:
            answer_wait.on_pulses("car-1", wall)
    now = THINK_NS + 20
    assert answer_wait.wait_ns(now, FRAME - 1) == 0, "an answer may take the time of a frame, as on a real car"
    assert (answer_wait.wait_ns(now, FRAME) > 0) == waits


def test_patience_ends_and_is_counted() -> None:
    answer_wait = AnswerWait(100_000_000, 16)
    answer_wait.on_frame_sent("car-1", 1, 0, 0)
    assert answer_wait.wait_ns(70_000_000, FRAME) == 30_000_000
    assert answer_wait.wait_ns(100_000_000, FRAME) == 0
    assert answer_wait.waited_ns == 30_000_000
    answer_wait.on_frame_sent("", 2, FRAME, 0)
    assert answer_wait.wait_ns(1, 9 * FRAME) == 0
