"""The parts of the simulated track, each alone: clock, beams, chance, gate device, schedule."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.units import NS_PER_S
from shared.virtual_time import VirtualTime
from simulator.races.physical import beam_gate
from simulator.races.physical.beam_gate import SENSORS, BeamPassing, SensorEdge
from simulator.races.physical.fault_table import BY_NAME, FaultSource, chosen
from simulator.races.physical.gate_device import RING, GateDevice, GateDeviceDriver
from simulator.races.physical.kernel_clock import VirtualKernelClock
from simulator.races.physical.racers import draw_racer, drive_lap
from simulator.races.schedule import draw_meeting
from station.core.inputs import Edge

SPEEDS = st.floats(0.7, 4.0)


def test_a_kernel_clock_restarts_with_each_boot_and_utc_can_be_stepped() -> None:
    virtual_time = VirtualTime()
    clock = VirtualKernelClock(virtual_time, "station")
    virtual_time.move_to(50 * NS_PER_S)
    before, utc, boot = clock.now_ns(), clock.utc_ns(), clock.boot_id
    clock.step_utc(-NS_PER_S)
    assert (clock.now_ns(), clock.utc_ns()) == (before, utc - NS_PER_S)
    clock.reboot()
    assert clock.boot_id != boot
    assert 0 <= clock.now_ns() < before


@given(speed=SPEEDS, at_ns=st.integers(0, 10**15), seed=st.integers(0, 2**32))
def test_whatever_flickers_the_first_edge_is_the_time(speed: float, at_ns: int, seed: int) -> None:
    edges = beam_gate.double_trigger(BeamPassing(at_ns, speed).clean(), random.Random(seed))
    assert edges[0] == SensorEdge(SENSORS[0], True, at_ns)
    assert edges == beam_gate.in_order(edges)
    for sensor in SENSORS:
        levels = [e.broken for e in edges if e.sensor == sensor]
        assert levels == [True, False] * (len(levels) // 2), "a sensor's levels take turns"
    assert edges[-1].at_ns - at_ns < NS_PER_S


@given(speed=SPEEDS, seed=st.integers(0, 2**32))
def test_a_lost_edge_is_one_and_a_blind_sensor_is_silent(speed: float, seed: int) -> None:
    clean = BeamPassing(1_000, speed).clean()
    lost = beam_gate.lose_edge(clean, random.Random(seed))
    assert sum(e.lost for e in lost) == 1
    assert len({e.sensor for e in beam_gate.miss_sensor(clean, random.Random(seed))}) == 1


def test_switching_a_fault_off_leaves_the_luck_of_the_others() -> None:
    every, few = FaultSource("s", BY_NAME), FaultSource("s", ["missed_edge"])
    hits = [(every.occurs("double_trigger"), every.occurs("missed_edge")) for _ in range(3000)]
    alone = [(few.occurs("double_trigger"), few.occurs("missed_edge")) for _ in range(3000)]
    assert [b for _, b in hits] == [b for _, b in alone]
    assert not any(a for a, _ in alone)
    assert few.counts == {"missed_edge": sum(b for _, b in hits)}
    assert every.instants("clock_step", 10**14) == FaultSource("s", BY_NAME).instants("clock_step", 10**14)


@pytest.mark.parametrize(
    ("words", "kinds"),
    [("all", set(BY_NAME)), ("none", set()), ("sensor_noise, clock_step", {"sensor_noise", "clock_step"})],
)
def test_faults_are_chosen_by_name(words: str, kinds: set[str]) -> None:
    assert chosen(words) == kinds


def test_an_unknown_fault_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="no fault 'gremlin'; allowed are all, none, double_trigger"):
        chosen("gremlin")


def test_a_new_station_hears_again_what_it_has_not_kept() -> None:
    virtual_time = VirtualTime()
    gate_device = GateDevice(VirtualKernelClock(virtual_time, "station"))
    first: list[Edge] = []
    GateDeviceDriver(gate_device).start({}, first.append)
    for n in range(6):
        gate_device.on_edge(SensorEdge("front", n % 2 == 0, n * 1000, lost=n == 2))
    again: list[Edge] = []
    GateDeviceDriver(gate_device).start({gate_device.clock.boot_id: 4}, again.append)
    assert [e.seq for e in first] == [1, 2, 4, 5, 6], "a lost edge only uses up a number"
    assert [e.seq for e in again] == [5, 6]
    gate_device.on_edge(SensorEdge("rear", True, 9000))
    assert (len(first), again[-1].seq) == (5, 7), "one station listens at a time"


def test_the_box_remembers_so_many_edges_and_none_over_a_reboot() -> None:
    virtual_time = VirtualTime()
    clock = VirtualKernelClock(virtual_time, "station")
    gate_device = GateDevice(clock)
    for n in range(RING + 10):
        gate_device.on_edge(SensorEdge("front", n % 2 == 0, n))
    replayed: list[Edge] = []
    GateDeviceDriver(gate_device).start({}, replayed.append)
    assert [replayed[0].seq, len(replayed)] == [11, RING]
    gate_device.reboot()
    clock.reboot()
    gate_device.on_edge(SensorEdge("front", True, 1))
    replayed.clear()
    GateDeviceDriver(gate_device).start({}, replayed.append)
    assert [(e.seq, e.boot) for e in replayed] == [(1, clock.boot_id)]


@given(seed=st.integers(0, 2**32))
def test_laps_spread_as_in_a_hall(seed: int) -> None:
    rng = random.Random(seed)
    racer = draw_racer(rng, 1, 3)
    laps = [drive_lap(racer, rng) for _ in range(50)]
    times = [lap.duration_ns / NS_PER_S for lap in laps if lap.duration_ns is not None]
    assert all(racer.base_lap_s * 0.7 < t < racer.base_lap_s * 1.4 + 14 for t in times)
    assert all(t.into_ns < (lap.duration_ns or 10**18) for lap in laps for t in lap.troubles)


@pytest.mark.parametrize("hours", [0.25, 1.0, 2.0])
def test_a_meeting_is_drawn_the_same_twice_and_another_seed_draws_another(hours: float) -> None:
    length_ns = round(hours * 3600 * NS_PER_S)
    meeting = draw_meeting("7/0", length_ns)
    assert meeting == draw_meeting("7/0", length_ns)
    assert meeting != draw_meeting("7/1", length_ns)
    for race in meeting.races:
        allowed = race.rules.attempts_per_racer
        attempts = [racer.name for racer in race.attempts]
        assert allowed is None or max(attempts.count(name) for name in attempts) <= allowed
