"""The world on virtual time: a fixed grid, exact frame instants, the same story for the same seed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.tracks import load_track
from simulator.world.world import BeamEdge, CarBackOnTrack, CarLeftTrack, FrameDue, TrueCrossing, World, WorldEvent
from tests.simulator.world.sample_tracks import box, ring
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

SECOND_NS = 1_000_000_000
BASE = load_track("reinvent_base")
STRAIGHT = to_pulses(Action(0.0, 0.4), STOCK_CALIBRATION)
LEFT = to_pulses(Action(0.35, 0.4), STOCK_CALIBRATION)


def story(world: World, slices: list[int]) -> list[WorldEvent]:
    """Drive straight ahead; `slices` are instants at which the caller happens to step."""
    world.apply(STRAIGHT)
    return [event for until_ns in slices for event in world.step(until_ns)]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4 * SECOND_NS), max_size=12))
def test_how_the_caller_slices_time_changes_nothing(cuts: list[int]) -> None:
    unsliced, sliced = World(BASE, 7), World(BASE, 7)
    expected = story(unsliced, [4 * SECOND_NS])
    assert story(sliced, [*sorted(cuts), 4 * SECOND_NS]) == expected
    assert sliced.pose == unsliced.pose
    assert sliced.now_ns == unsliced.now_ns


def test_same_seed_same_frames_and_another_seed_others() -> None:
    def frames(seed: int) -> list[bytes]:
        world = World(BASE, seed)
        world.apply(STRAIGHT)
        images = []
        for n in range(1, 6):
            world.step(n * SECOND_NS // 15)
            images.append(world.frame().tobytes())
        return images

    assert frames(3) == frames(3)
    assert frames(3) != frames(4)


@pytest.mark.parametrize(("rate_hz", "start_ns"), [(15, 0), (15, 123_456_789), (30, 5), (60, 10**15)])
def test_frames_are_due_at_exact_instants(rate_hz: int, start_ns: int) -> None:
    world = World(BASE, 1, frame_rate_hz=rate_hz, start_ns=start_ns)
    due = [event.at_ns for event in world.step(start_ns + 2 * SECOND_NS) if isinstance(event, FrameDue)]
    assert due == [start_ns + n * SECOND_NS // rate_hz for n in range(1, 2 * rate_hz + 1)]


def test_a_frame_shows_the_instant_it_is_stamped_with() -> None:
    world, late = World(BASE, 1), World(BASE, 1)
    for each in (world, late):
        each.apply(STRAIGHT)
    world.step(15 * SECOND_NS // 15)
    late.step(SECOND_NS + 60_000_000)
    assert (world.frame() == late.frame()).all()


def test_frame_is_grey_and_of_the_device_size() -> None:
    frame = World(BASE, 1).frame()
    assert frame.shape == (240, 320)
    assert frame.dtype == np.uint8


def test_first_crossing_and_the_edges_around_it() -> None:
    world = World(BASE, 1)
    world.put_at(-0.75)  # straight on to the line from here
    events = [e for e in story(world, [2 * SECOND_NS]) if not isinstance(e, FrameDue)]
    broken, crossing, clear = events
    assert isinstance(broken, BeamEdge)
    assert isinstance(clear, BeamEdge)
    assert (broken.broken, clear.broken) == (True, False)
    assert crossing == TrueCrossing(broken.at_ns, 1, "start")
    assert clear.at_ns > broken.at_ns


def test_split_gates_have_their_own_sensors() -> None:
    world = World(ring(), 1, splits=(0.1, 0.2))
    names = []
    for n in range(1, 15 * 16):
        world.apply(to_pulses(Action(_ring_steering(world), 0.4), STOCK_CALIBRATION))
        names += [e.gate for e in world.step(n * SECOND_NS // 15) if isinstance(e, TrueCrossing)]
    assert names[:4] == ["start", "split1", "split2", "start"]


def _ring_steering(world: World) -> float:
    """Enough to stay on the ring: its bend, and back towards its middle."""
    return max(-1.0, min(1.0, 0.16 - 1.2 * world.place.lateral_m))


def test_leaving_the_road_and_being_put_back() -> None:
    world = World(box(), 1)
    world.put_at(1.0)
    world.apply(LEFT)
    events: list[WorldEvent] = []
    while not world.off_track:
        events += world.step(world.now_ns + SECOND_NS // 15)
    assert sum(isinstance(e, CarLeftTrack) for e in events) == 1
    left_at = world.place.s_m
    world.put_back(0.5)
    assert world.pose.speed_mps == 0.0
    assert world.place.s_m == pytest.approx((left_at - 0.5) % world.track.length_m, abs=0.01)
    assert [type(e) for e in world.step(world.now_ns)] == [CarBackOnTrack]


def test_off_track_only_when_no_wheel_is_left_on_the_road() -> None:
    world = World(box(width_m=0.8), 1)
    for lateral_m, off in [(0.3, False), (0.45, False), (0.475, False), (0.49, True), (-0.475, False), (-0.49, True)]:
        world.put_at(3.0, lateral_m)
        world.step(world.now_ns + SECOND_NS // 10)
        assert world.off_track is off, lateral_m


def test_placed_at_the_start_the_car_stands_before_the_line() -> None:
    world = World(BASE, 1)
    world.apply(STRAIGHT)
    world.step(5 * SECOND_NS)
    world.place_at_start()
    assert 1.5 <= BASE.length_m - world.place.s_m <= 2.0  # far enough to see the boards come
    assert world.pose.speed_mps == 0.0


def test_events_come_in_time_order() -> None:
    events = story(World(BASE, 5, splits=(0.05,)), [3 * SECOND_NS])
    assert all(a.at_ns <= b.at_ns for a, b in pairwise(events))


def test_without_pulses_nothing_moves() -> None:
    world = World(BASE, 1)
    world.apply(None)
    world.step(2 * SECOND_NS)
    assert world.pose.speed_mps == 0.0
