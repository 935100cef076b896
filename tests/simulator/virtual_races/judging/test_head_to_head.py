"""Head-to-head: who is ahead, why and by how much."""

import math

import pytest

from shared.rules.head_to_head import Reason
from simulator.objects.lanes import lanes_of
from simulator.objects.outlines import CAR_OUTLINE, outlines_overlap
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict, RivalRun, ahead_after, winner_of
from simulator.virtual_races.worlds import start_places
from tests.simulator.world.sample_tracks import ring

S = 1_000_000_000


def run(*crossings_s: float, reached_m: float = 0.0, at_s: float = 90.0) -> RivalRun:
    """A car that crossed the line at these seconds."""
    return RivalRun(tuple(round(each * S) for each in crossings_s), reached_m, round(at_s * S))


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (run(1, 11, 21), run(2, 12, 22), HeadToHeadVerdict(0, Reason.FIRST_TO_FINISH, by_s=1.0)),
        (run(1, 13, 25), run(2, 12, 22), HeadToHeadVerdict(1, Reason.FIRST_TO_FINISH, by_s=3.0)),
        (run(1, 13, 22), run(2, 12, 22), HeadToHeadVerdict(None, Reason.LEVEL)),
        # a third lap of one counts for nothing
        (run(1, 11, 22, 30), run(2, 12, 21), HeadToHeadVerdict(1, Reason.FIRST_TO_FINISH, by_s=1.0)),
        (run(1, 11), run(2, 12, 22), HeadToHeadVerdict(1, Reason.FIRST_TO_FINISH)),
        (run(1, 11, reached_m=30.0), run(2, reached_m=12.5), HeadToHeadVerdict(0, Reason.FARTHER, by_m=17.5)),
        (run(1, 11, reached_m=22.0), run(2, 12, reached_m=30.0), HeadToHeadVerdict(1, Reason.FARTHER, by_m=8.0)),
        (run(reached_m=-1.75), run(reached_m=-2.75), HeadToHeadVerdict(0, Reason.FARTHER, by_m=1.0)),
        (run(1, reached_m=5.0, at_s=9), run(2, reached_m=5.0, at_s=8), HeadToHeadVerdict(1, Reason.EARLIER, by_s=1.0)),
        (run(1, reached_m=5.0), run(2, reached_m=5.0), HeadToHeadVerdict(None, Reason.LEVEL)),
    ],
)
def test_who_is_ahead_after_two_laps(first: RivalRun, second: RivalRun, verdict: HeadToHeadVerdict) -> None:
    assert ahead_after((first, second), 2) == verdict
    mirrored = None if verdict.winner is None else 1 - verdict.winner
    assert ahead_after((second, first), 2).winner == mirrored


@pytest.mark.parametrize(
    ("ahead", "winner"),
    [((0,), 0), ((0, 1, 1), 1), ((0, 1), None), ((None, 1), 1), ((None, None, None), None), ((), None)],
)
def test_of_several_runs_the_more_decide(ahead: tuple[int | None, ...], winner: int | None) -> None:
    assert winner_of([HeadToHeadVerdict(each, Reason.FARTHER) for each in ahead]) == winner


def test_the_cars_wait_in_two_lanes_one_behind_the_other() -> None:
    lanes = lanes_of(ring())
    first, second = start_places(lanes)
    assert not outlines_overlap(first, CAR_OUTLINE.size, second, CAR_OUTLINE.size)
    assert math.hypot(first.x, first.y) < math.hypot(second.x, second.y)
    assert math.atan2(first.y, first.x) > math.atan2(second.y, second.x)
