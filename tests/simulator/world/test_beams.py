"""Crossing instants: exact where the answer can be written down, in both directions."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.beams import Beam, line_across
from simulator.world.car import FRONT_M, CarPose
from simulator.world.world_events import FORWARD, REVERSE, BeamEdge, TrueCrossing
from tests.simulator.world.sample_tracks import box

TRACK = box()  # the start line is at x = 1, the road runs along +x
STEP_NS = 4_166_667


def at(x: float, y: float = 0.0, yaw: float = 0.0) -> CarPose:
    return CarPose(x, y, yaw, 0.0, 0.0)


def passes(beam: Beam, start_x: float, speed_mps: float, steps: int, y: float = 0.0) -> list[BeamEdge | TrueCrossing]:
    events: list[BeamEdge | TrueCrossing] = []
    for n in range(steps):
        before, after = (at(start_x + speed_mps * k * STEP_NS / 1e9, y) for k in (n, n + 1))
        events += beam.move(before, n * STEP_NS, after, (n + 1) * STEP_NS)
    return events


@given(st.floats(0.3, 4.0), st.floats(0.2, 0.8))
def test_straight_crossing_is_right_to_the_nanosecond(speed_mps: float, before_m: float) -> None:
    beam = Beam(line_across(TRACK, "start"))
    start_x = 1.0 - FRONT_M - before_m
    broken, crossing, clear = passes(beam, start_x, speed_mps, math.ceil(1.4 / speed_mps * 1e9 / STEP_NS))
    assert isinstance(broken, BeamEdge)
    assert isinstance(clear, BeamEdge)
    assert (broken.broken, clear.broken) == (True, False)
    assert abs(broken.at_ns - before_m / speed_mps * 1e9) <= 1
    assert abs(clear.at_ns - (before_m + 2 * FRONT_M) / speed_mps * 1e9) <= 1
    assert crossing == TrueCrossing(broken.at_ns, FORWARD, "start")


def test_backwards_the_rear_leads() -> None:
    beam = Beam(line_across(TRACK, "start"))
    edge, crossing, clear = passes(beam, 1.5, -1.0, 400)
    assert isinstance(crossing, TrueCrossing)
    assert crossing.direction == REVERSE
    assert abs(edge.at_ns - 360_000_000) <= 1
    assert abs(clear.at_ns - 640_000_000) <= 1


OUTSIDE = [(0.64, True), (0.66, False), (-0.64, True), (-0.66, False)]  # half of 0.8 m and 0.25 m beyond


@pytest.mark.parametrize(("y", "in_reach"), OUTSIDE)
def test_the_beam_ends_at_the_posts(y: float, in_reach: bool) -> None:
    assert bool(passes(Beam(line_across(TRACK, "start")), 0.5, 2.0, 200, y)) is in_reach


def test_a_car_that_noses_in_and_backs_out_breaks_and_restores() -> None:
    beam = Beam(line_across(TRACK, "start"))
    events = [*beam.move(at(0.8), 0, at(0.9), 10), *beam.move(at(0.9), 10, at(0.8), 20)]
    assert [type(event) for event in events] == [BeamEdge, TrueCrossing, BeamEdge]


def test_lifting_the_car_restores_the_beam() -> None:
    beam = Beam(line_across(TRACK, "start"))
    assert beam.lift(5) == []
    beam.move(at(0.8), 0, at(0.9), 10)
    assert beam.lift(15) == [BeamEdge("start", False, 15)]
    assert beam.lift(16) == []


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(-1.0, 1.0), st.floats(-3.2, 3.2)), min_size=2, max_size=40))
def test_edges_alternate_and_lie_in_their_step_whatever_the_car_does(poses: list[tuple[float, float, float]]) -> None:
    beam, broken = Beam(line_across(TRACK, "start")), False
    for n, (before, after) in enumerate(itertools.pairwise(poses)):
        for event in beam.move(at(*before), n * 1000, at(*after), n * 1000 + 1000):
            assert n * 1000 <= event.at_ns <= n * 1000 + 1000
            if isinstance(event, BeamEdge):
                assert event.broken is not broken
                broken = event.broken
