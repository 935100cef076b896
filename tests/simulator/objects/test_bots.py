"""Bots: where they are at each moment, their lane changes, and every refusal."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from simulator.objects.bots import CHANGES, BotSetup, make_bots
from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.placing import ObjectPlace
from tests.simulator.world.sample_tracks import ring

LANES = lanes_of(ring())
INNER_RADIUS_M, OUTER_RADIUS_M = 2.75, 3.25


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"count": 7}, "There are 7 objects: a race has 1 to 6."),
        ({"count": 0}, "There are 0 objects: a race has 1 to 6."),
        ({"count": True}, "There are True objects: a race has 1 to 6."),
        ({"speed_mps": 0.1}, "The bots' speed is 0.1 m/s: it must be 0.2 to 6."),
        ({"speed_mps": 7.0}, "The bots' speed is 7.0 m/s: it must be 0.2 to 6."),
        ({"speed_mps": math.nan}, "The bots' speed is nan m/s: it must be 0.2 to 6."),
        (
            {"lane_change_s": (5.0, 3.0)},
            "The bots change lanes every 5.0 to 3.0 s: both must be 0.1 to 600, the lower first.",
        ),
        (
            {"lane_change_s": (0.0, 3.0)},
            "The bots change lanes every 0.0 to 3.0 s: both must be 0.1 to 600, the lower first.",
        ),
        (
            {"count": 2, "places": (ObjectPlace(1, 0.5),)},
            "There are 2 bots but 1 places: give one place each, or none.",
        ),
    ],
)
def test_what_no_race_has_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        BotSetup(**changes)
    assert str(refused.value) == sentence


def test_a_bot_drives_along_its_lane_at_its_speed() -> None:
    setup = BotSetup(2, 1.5, (ObjectPlace(INNER, 0.25), ObjectPlace(OUTER, 0.75)))
    bots = make_bots(LANES, setup, seed=3)
    for clock_s in (0.0, 2.0, 40.0):  # 40 s are three laps
        inner, outer = bots.poses(clock_s)
        turned = clock_s * 1.5 / 3.0
        for pose, radius_m, first in ((inner, INNER_RADIUS_M, 0.25), (outer, OUTER_RADIUS_M, 0.75)):
            angle = math.tau * first + turned
            assert (pose.x, pose.y) == pytest.approx((radius_m * math.cos(angle), radius_m * math.sin(angle)), abs=0.01)
            assert math.remainder(pose.yaw - angle - math.pi / 2, math.tau) == pytest.approx(0.0, abs=0.01)
    assert bots.progress_m(0, 40.0) == pytest.approx(LANES.length_m * 0.25 + 60.0)


def test_bots_with_drawn_places_come_again_from_their_seed() -> None:
    one, same, other = (make_bots(LANES, BotSetup(4, 0.5, None, (1.0, 2.0)), seed) for seed in (5, 5, 6))
    assert one.poses(17.3) == same.poses(17.3)
    assert one.poses(17.3) != other.poses(17.3)


def test_a_lane_change_takes_its_metre_and_waits_between_lower_and_upper() -> None:
    bots = make_bots(LANES, BotSetup(1, 1.0, (ObjectPlace(OUTER, 0.5),), (3.0, 5.0)), seed=2)
    begins = bots.changes_s[0]
    waits = np.diff(begins) - 1.0  # a change takes a metre, at 1 m/s a second
    assert 3.0 <= begins[0] <= 5.0
    assert waits.min() >= 3.0
    assert waits.max() <= 5.0
    assert len(set(waits.tolist())) == CHANGES - 1

    def radius_m(clock_s: float) -> float:
        (pose,) = bots.poses(clock_s)
        return math.hypot(pose.x, pose.y)

    assert radius_m(begins[0] - 0.01) == pytest.approx(OUTER_RADIUS_M, abs=5e-3)
    assert radius_m(begins[0] + 0.5) == pytest.approx(3.0, abs=5e-3)
    assert radius_m(begins[0] + 1.01) == pytest.approx(INNER_RADIUS_M, abs=5e-3)
    assert radius_m(begins[1] + 1.01) == pytest.approx(OUTER_RADIUS_M, abs=5e-3)
    assert radius_m(begins[2] + 1.01) == pytest.approx(INNER_RADIUS_M, abs=5e-3)


@given(st.integers(0, 1000), st.floats(0.0, 3000.0))
@settings(max_examples=60)
def test_a_bot_looks_where_it_goes(seed: int, clock_s: float) -> None:
    """Its heading is the direction of its motion, also in a lane change and after the drawn changes came again."""
    bots = make_bots(LANES, BotSetup(1, 2.0, None, (0.5, 1.0)), seed)
    (before,), (pose,), (after,) = bots.poses(clock_s), bots.poses(clock_s + 0.01), bots.poses(clock_s + 0.02)
    moved = math.hypot(after.x - before.x, after.y - before.y)
    assert 0.03 < moved < 0.06
    direction = math.atan2(after.y - before.y, after.x - before.x)
    assert math.remainder(pose.yaw - direction, math.tau) == pytest.approx(0.0, abs=0.08)
