"""Many worlds at once: the same cars as in one `World`, and the same whatever their number, order and threads."""

import hashlib
import random
from dataclasses import replace

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.batch.car import _MOTOR, _STEERING, through_pulse
from simulator.batch.road import Roads, locate, on_road
from simulator.batch.vector import BACK_ON_TRACK, CROSSING, LEFT_TRACK, BatchWorlds, Floats, WorldSpec
from simulator.driving.drive_chain import DriveChain
from simulator.world.car import _value
from simulator.world.cars.profiles import draw_car
from simulator.world.tracks import load_track
from simulator.world.world import World, draw_parts
from simulator.world.world_events import CarBackOnTrack, CarLeftTrack, TrueCrossing, WorldEvent
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

TRACKS = [load_track("reinvent_base"), load_track("reInvent2019_wide").reversed()]
MINUTE = 60 * 15  # frames


def spec(seed: int, lost: float = 0.0) -> WorldSpec:
    track = TRACKS[seed % 2]
    latency_ns = random.Random(seed).randrange(120_000_000)
    return WorldSpec(track, draw_parts(track, seed), seed, latency_ns, lost, splits=(0.4,))


def unsteady(batch: BatchWorlds, rng: np.random.Generator) -> Floats:
    """Steers roughly along the road, badly enough to leave it now and then."""
    steering = -1.6 * batch.heading_error_rad - batch.lateral_m + rng.normal(0.0, 0.5, len(batch))
    return np.stack([steering, np.full(len(batch), 0.55)], axis=1)


def as_row(event: WorldEvent) -> tuple[int, int, int, int] | None:
    if isinstance(event, TrueCrossing):
        return CROSSING, 0 if event.gate == "start" else 1, event.direction, event.at_ns
    if isinstance(event, CarLeftTrack | CarBackOnTrack):
        return LEFT_TRACK if isinstance(event, CarLeftTrack) else BACK_ON_TRACK, 0, 0, event.at_ns
    return None


def test_a_car_drives_as_in_a_world_of_its_own_for_a_minute() -> None:
    sliding = spec(2)
    sliding = replace(sliding, parts=replace(sliding.parts, car=draw_car(2, profile="console-2022")))
    batch = BatchWorlds([spec(1), sliding])
    worlds = [World(one.track, one.seed, parts=one.parts, splits=one.splits) for one in batch.specs]
    chains = [DriveChain(world, one.latency_ns) for world, one in zip(worlds, batch.specs, strict=True)]
    rng = np.random.default_rng(3)
    happened = 0
    for frame in range(MINUTE):
        commands = unsteady(batch, rng)
        events = batch.step(commands)
        for n, (world, chain) in enumerate(zip(worlds, chains, strict=True)):
            chain.set_command(world.now_ns, Action(*commands[n].tolist()))
            rows = [as_row(event) for event in chain.run((frame + 1) * 1_000_000_000 // 15)]
            ours = events[events["world"] == n][["kind", "gate", "direction", "at_ns"]].tolist()
            assert ours == [row for row in rows if row]
            happened += len(ours)
            if world.off_track:
                assert batch.off_track[n]
                world.put_back()
                chain.clear()
                batch.put_back([n])
    assert happened > 20
    theirs = [(*world.pose.place, world.pose.speed_mps, world.place.s_m) for world in worlds]
    assert np.abs(np.column_stack([batch.pose, batch.speed_mps, batch.s_m]) - theirs).max() < 1e-9


def driven(seeds: list[int], threads: int) -> dict[int, str]:
    """A hash of each world's whole drive, by seed."""
    batch = BatchWorlds([spec(seed, lost=0.1) for seed in seeds], threads=threads)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    hashes = [hashlib.sha256() for _ in seeds]
    for _ in range(40):
        noise = np.array([rng.normal(0.0, 0.6) for rng in rngs])
        for event in batch.step(np.stack([-2.0 * batch.heading_error_rad + noise, np.full(len(seeds), 0.9)], axis=1)):
            hashes[event["world"]].update(repr((event["kind"], event["at_ns"])).encode())
        for n, row in enumerate(np.column_stack([batch.pose, batch.speed_mps, batch.progress_m])):
            hashes[n].update(row.tobytes())
        batch.put_back(np.flatnonzero(batch.off_track))
    batch.close()
    return {seed: one.hexdigest() for seed, one in zip(seeds, hashes, strict=True)}


def test_a_drive_depends_on_its_seed_alone() -> None:
    everyone = driven(list(range(64)), threads=1)
    assert driven(list(range(64)), threads=2) == everyone
    assert driven([5, 63, 0, 17, 4, 2, 9], threads=1) == {seed: everyone[seed] for seed in (5, 63, 0, 17, 4, 2, 9)}
    assert driven([17], threads=2) == {17: everyone[17]}
    assert len(set(everyone.values())) == 64


def test_a_reset_begins_anew_and_leaves_the_others() -> None:
    batch, alone = BatchWorlds([spec(1), spec(2), spec(3)]), BatchWorlds([spec(3)])
    commands = np.array([[0.1, 0.5]] * 3)
    for frame in range(30):
        if frame == 10:
            batch.reset([1], [spec(7)])
            assert batch.now_ns.tolist() == [666_666_666, 0, 666_666_666]
            assert batch.progress_m[1] == 0.0
        batch.step(commands)
        alone.step(commands[:1])
    assert (batch.pose[2] == alone.pose[0]).all()
    fresh = BatchWorlds([spec(7)])
    for _ in range(20):
        fresh.step(commands[:1])
    assert (batch.pose[1] == fresh.pose[0]).all()


def test_worlds_that_are_not_named_stand_still_in_time() -> None:
    batch = BatchWorlds([spec(1), spec(2)])
    batch.put_at([3.0, 4.0], 0.1, [0.0, 2.0])
    assert batch.s_m.tolist() == pytest.approx([3.0, 4.0])
    assert batch.lateral_m.tolist() == pytest.approx([0.1, 0.1])
    assert batch.reversed.tolist() == [False, True]
    assert batch.wheels_on_road.tolist() == [4, 4]
    batch.step([[0.0, 1.0]] * 2, worlds=[1])
    assert batch.now_ns.tolist() == [0, 66_666_666]


def test_all_frames_but_the_lost_share_reach_the_policy() -> None:
    one = spec(4, lost=0.25)
    batch = BatchWorlds([WorldSpec(one.track, one.parts, seed, 0, 0.25) for seed in range(200)])
    batch.step([[1.0, 0.0]] * 200)
    assert 30 <= int((batch.applied[:, 0] == 0.0).sum()) <= 70


def test_places_are_those_of_the_track() -> None:
    roads = Roads(TRACKS)
    for one in TRACKS:
        part = roads.part(one)
        rng = np.random.default_rng(8)
        low, high = one.centre.min(axis=0) - 1.0, one.centre.max(axis=0) + 1.0
        for x, y in rng.uniform(low, high, (60, 2)).tolist():
            place = one.locate(x, y)
            assert locate(roads.rows, part.first, part.count, x, y, -1) == place
            near = (place.segment + int(rng.integers(-3, 3))) % part.count
            assert locate(roads.rows, part.first, part.count, x, y, near) == one.locate(x, y, near)
            assert on_road(roads.rows, part.first, part.count, part.window, x, y, near) == one.on_road(x, y, near)


def test_pulses_are_those_of_the_driver() -> None:
    for value in np.linspace(-1.0, 1.0, 201).tolist():
        pulses = to_pulses(Action(value, value), STOCK_CALIBRATION)
        assert through_pulse(value, _STEERING) == _value(pulses.steering_ns, STOCK_CALIBRATION.steering)
        assert through_pulse(value, _MOTOR) == _value(pulses.throttle_ns, STOCK_CALIBRATION.motor)


@pytest.mark.parametrize(
    ("latency_ns", "lost", "sentence"), [(-1, 0.0, "latency"), (10**9 + 1, 0.0, "1 s"), (0, 1.0, "lost")]
)
def test_a_spec_that_cannot_be_driven_is_refused(latency_ns: int, lost: float, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        WorldSpec(TRACKS[0], draw_parts(TRACKS[0], 1), 1, latency_ns, lost)
