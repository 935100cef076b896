"""How well a model drives: closed loop on virtual time through the car's own code, over seeds and tracks.

A model gets the sensors that its metadata asks for: one camera, two, and a LiDAR of any kind.
A seed varies the car, the floor and its light, the camera, the noise and the latency. A car that leaves the road is
put back one metre before that place, as in the DeepRacer League; the drive of that seed is then not clean.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context

import numpy as np

from shared.units import NS_PER_S
from simulator.batch.compiled import batch_available
from simulator.driving.drive_chain import DriveChain
from simulator.driving.drives import FRAME_RATE_HZ, Drive, LapCounter, latency_ns_of, most_frames
from simulator.driving.policy import DrivingPolicy, find_model
from simulator.driving.sensor_policy import SensorPolicy, load_any_policy, sense
from simulator.world.camera import CameraParameters
from simulator.world.tracks import Track, load_track
from simulator.world.world import World, draw_parts
from vehicle.core.actions import Action
from vehicle.frames.profile_names import ProfileName
from vehicle.models.trial import try_model

WORLD_WIDTH_PX = CameraParameters().width_px
LOCK_STEP = 32  # drives that are driven at once


@dataclass(frozen=True, slots=True)
class DriveVerdict:
    """The outcome of all seeds on one track; `clean` counts the drives that never left the road."""

    track: str
    seeds: int
    clean: int
    laps: int
    off_tracks: int
    mean_lap_s: float | None


def drive(
    policy: DrivingPolicy | SensorPolicy, track: Track, seed: int, laps: int, width_px: int = WORLD_WIDTH_PX
) -> Drive:
    """Drive `laps` laps from the start; ends early after too many off-tracks or when time is up.

    `width_px` is the width of the camera's 4:3 pictures. Up to twice the policy's input width, both resize profiles
    give the same pixels; beyond that the profile matters.
    """
    parts = draw_parts(track, seed)
    if width_px != WORLD_WIDTH_PX:
        camera = replace(parts.lens.camera, width_px=width_px, height_px=width_px * 3 // 4)
        lens = replace(parts.lens, camera=camera, blur_px=parts.lens.blur_px * width_px / WORLD_WIDTH_PX)
        parts = replace(parts, lens=lens)
    world = World(track, seed, frame_rate_hz=FRAME_RATE_HZ, parts=parts)
    chain, score, act = DriveChain(world, latency_ns_of(seed)), LapCounter(laps), _acting(policy, world, seed)
    points: list[tuple[float, float]] = []
    for number in range(most_frames(track, laps)):
        chain.set_command(world.now_ns, act())
        for event in chain.run((number + 1) * NS_PER_S // FRAME_RATE_HZ):
            score.on_event(event)
        points.append((world.pose.x, world.pose.y))
        if score.done:
            break
        if world.off_track:
            world.put_back()
            chain.clear()
    return score.drive(points)


def _acting(policy: DrivingPolicy | SensorPolicy, world: World, seed: int) -> Callable[[], Action]:
    """What the policy does now, by its own sensors in the world."""
    if isinstance(policy, DrivingPolicy):
        return lambda: policy.act(world.frame())
    noise = np.random.default_rng(seed)
    return lambda: policy.act(*sense(world, policy.sensors, noise))


def verdict(track: str, drives: Iterable[Drive]) -> DriveVerdict:
    """The counts and the mean lap of all drives on one track."""
    every = list(drives)
    laps = [lap for each in every for lap in each.laps_s]
    mean = round(sum(laps) / len(laps), 3) if laps else None
    clean = sum(each.clean for each in every)
    return DriveVerdict(track, len(every), clean, len(laps), sum(each.off_tracks for each in every), mean)


def evaluate(
    model: str,
    tracks: list[str],
    seeds: int,
    laps: int,
    throttle_percent: float | None = None,
    jobs: int = 1,
    profile: ProfileName = "grey-area",
    width_px: int = WORLD_WIDTH_PX,
) -> Iterator[DriveVerdict]:
    """Yield the verdict of each track when it is ready. Raises OperatorError before the first drive on bad input."""
    loaded = [load_track(name) for name in tracks]
    policy = load_any_policy(model, throttle_percent, profile)
    try_model(find_model(model), any_sensors=isinstance(policy, SensorPolicy))
    parts = _seed_parts(seeds, jobs, width_px)
    work = [(model, throttle_percent, profile, name, part, laps, width_px) for name in tracks for part in parts]
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts_to_the_parent)
    try:
        results = pool.map(_drive_part, work)
        for track in loaded:
            yield verdict(track.name, [one for _ in parts for one in next(results)])
    finally:
        pool.shutdown(cancel_futures=True)


def in_lock_step(width_px: int) -> bool:
    """True if many drives are driven at once: that needs numba, and pictures as the policy gets them."""
    return batch_available() and width_px == WORLD_WIDTH_PX


def _seed_parts(seeds: int, jobs: int, width_px: int) -> list[range]:
    """The seeds in parts for the processes: each alone, or as many in lock-step as give every process its share."""
    size = min(LOCK_STEP, -(-seeds // jobs)) if in_lock_step(width_px) else 1
    return [range(first, min(first + size, seeds)) for first in range(0, seeds, size)]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


_policy = cache(load_any_policy)
_track = cache(load_track)


def _drive_part(work: tuple[str, float | None, ProfileName, str, range, int, int]) -> list[Drive]:
    model, throttle_percent, profile, name, seeds, laps, width_px = work
    policy, track = _policy(model, throttle_percent, profile), _track(name)
    if not in_lock_step(width_px):
        return [drive(policy, track, seed, laps, width_px) for seed in seeds]
    from simulator.driving.lock_step import drive_many  # noqa: PLC0415 (only with numba)

    return drive_many(policy, track, seeds, laps)
