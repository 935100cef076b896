"""The stage on virtual time: cars come and go, beams are restored, numbers run on, the truth is in order."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from shared.errors import Refused
from shared.units import NS_PER_S
from simulator.realtime.protocol import GateEdge, TrueEvent
from simulator.realtime.stage import TICK_NS, TICKS_PER_S, CapturedFrame, Stage, StageSettings
from simulator.world.tracks import load_track
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

AHEAD = to_pulses(Action(0.0, 0.45), STOCK_CALIBRATION)


@pytest.fixture
def stage(stadium_track: str) -> Callable[..., Stage]:
    """A stage on a track whose start is a long straight."""
    track = load_track(stadium_track)
    return lambda **settings: Stage(track, StageSettings(**settings))


def run(
    the_stage: Stage, seconds: float
) -> tuple[list[CapturedFrame], list[TrueEvent], list[tuple[str, GateEdge]], int]:
    shots: list[CapturedFrame] = []
    truths: list[TrueEvent] = []
    edges: list[tuple[str, GateEdge]] = []
    pits = 0
    for _ in range(round(seconds * TICKS_PER_S)):
        tick = the_stage.tick()
        shots += [tick.shot] if tick.shot else []
        truths += tick.truths
        edges += tick.edges
        pits += tick.pits_due
    return shots, truths, edges, pits


def test_an_empty_stage_has_time_and_pits_and_nothing_else(stage: Callable[..., Stage]) -> None:
    empty = stage()
    shots, truths, edges, pits = run(empty, 2.0)
    assert (shots, truths, edges, pits) == ([], [], [], 30)
    assert empty.now_ns == 3 * NS_PER_S
    assert abs(NS_PER_S - TICKS_PER_S * TICK_NS) < TICKS_PER_S


def test_frames_come_fifteen_a_second_with_even_stamps(stage: Callable[..., Stage]) -> None:
    full = stage()
    full.place("car-1")
    shots, _, _, _ = run(full, 2.0)
    assert len(shots) == 30
    assert {round((b.at_ns - a.at_ns) / 1000) for a, b in pairwise(shots)} == {66_667}


def test_a_car_keeps_its_pulses_and_crosses_where_the_truth_says(stage: Callable[..., Stage]) -> None:
    full = stage()
    full.wire("car-1", AHEAD)
    full.place("car-1")
    _, truths, edges, _ = run(full, 3.0)
    assert [t.event for t in truths[:2]] == ["placed", "crossing"]
    assert [(beam, e.broken, e.seq) for beam, e in edges[:2]] == [("start", True, 1), ("start", False, 2)]
    assert truths[1].at_ns == edges[0][1].at_ns
    assert [t.seq for t in truths] == list(range(1, len(truths) + 1))


def test_a_car_taken_off_in_the_beam_restores_it(stage: Callable[..., Stage]) -> None:
    full = stage()
    full.wire("car-1", AHEAD)
    full.place("car-1")
    edges: list[tuple[str, GateEdge]] = []
    while not edges:
        edges += full.tick().edges
    full.remove()
    after = full.tick()
    assert [(e.broken, e.seq) for _, e in after.edges] == [(False, 2)]
    assert [t.event for t in after.truths] == ["removed"]
    assert after.truths[0].car == "car-1"
    assert [e.seq for e in full.edges_after("start", 1)] == [2]
    assert list(full.edges_after("start", 2)) == []


def test_the_next_car_replaces_the_first_and_numbers_run_on(stage: Callable[..., Stage]) -> None:
    full = stage(edges_kept=2)
    for car in ("car-1", "car-2"):
        full.wire(car, AHEAD)
        full.place(car)
        run(full, 3.0)
    assert full.car == "car-2"
    assert [(t.event, t.car) for t in full.truths if t.event in ("placed", "removed")] == [
        ("placed", "car-1"),
        ("removed", "car-1"),
        ("placed", "car-2"),
    ]
    edges = list(full.edges_after("start", 0))
    assert [e.seq for e in edges] == [3, 4]
    assert edges[0].oldest == 3


@pytest.mark.slow
def test_same_seed_same_race_and_another_car_is_built_differently(stage: Callable[..., Stage]) -> None:
    def crossing(seed: int, car: str) -> int:
        one = stage(seed=seed)
        one.wire(car, AHEAD)
        one.place(car)
        return next(t.at_ns for t in run(one, 3.0)[1] if t.event == "crossing")

    assert crossing(1, "car-1") == crossing(1, "car-1")
    assert crossing(1, "car-1") != crossing(1, "car-2")
    assert crossing(1, "car-1") != crossing(2, "car-1")


def test_what_may_not_be_done_is_refused(stage: Callable[..., Stage]) -> None:
    empty = stage()
    with pytest.raises(Refused, match="no car"):
        empty.put_back()
    with pytest.raises(Refused, match="cannot name"):
        empty.place("Car 1")
    empty.remove()
    assert empty.car == ""


def test_splits_are_beams_of_their_own(stage: Callable[..., Stage]) -> None:
    assert stage(splits=(0.25, 0.5)).beams == ["start", "split1", "split2"]
