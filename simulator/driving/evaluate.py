"""How well a model drives: closed loop on virtual time through the car's own code, over seeds and tracks.

A seed varies the car, the floor and its light, the camera, the noise and the latency. A car that leaves the road is
put back one metre before that place, as in the DeepRacer League; the drive of that seed is then not clean.
"""

import random
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context

from simulator.driving.drive_chain import DriveChain
from simulator.driving.policy import DrivingPolicy, find_model, load_policy
from simulator.world.camera import CameraParameters
from simulator.world.tracks import Track, load_track
from simulator.world.world import World, draw_parts
from simulator.world.world_events import FORWARD, CarLeftTrack, FrameDue, TrueCrossing, WorldEvent
from vehicle.frames.profile_names import ProfileName
from vehicle.models.trial import try_model

FRAME_RATE_HZ = 15
WORLD_WIDTH_PX = CameraParameters().width_px
MIN_LATENCY_NS, MAX_LATENCY_NS = 20_000_000, 60_000_000
MAX_OFF_TRACKS = 12
SLOWEST_MPS = 0.5
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Drive:
    """One seed on one track; `wanted` is the number of laps to drive, `points` the driven line, one (x, y) a frame."""

    laps_s: tuple[float, ...]
    off_tracks: int
    wanted: int
    points: tuple[tuple[float, float], ...] = ()

    @property
    def clean(self) -> bool:
        """True if all laps were driven consecutively without leaving the road."""
        return len(self.laps_s) == self.wanted and self.off_tracks == 0


@dataclass(frozen=True, slots=True)
class DriveVerdict:
    """The outcome of all seeds on one track; `clean` counts the drives that never left the road."""

    track: str
    seeds: int
    clean: int
    laps: int
    off_tracks: int
    mean_lap_s: float | None


def drive(policy: DrivingPolicy, track: Track, seed: int, laps: int, width_px: int = WORLD_WIDTH_PX) -> Drive:
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
    latency_ns = random.Random(f"latency-{seed}").randint(MIN_LATENCY_NS, MAX_LATENCY_NS)
    chain, score = DriveChain(world, latency_ns), _Score(laps)
    points: list[tuple[float, float]] = []
    frames = round((laps + 1) * track.length_m / SLOWEST_MPS * FRAME_RATE_HZ)
    for number in range(frames):
        chain.set_command(world.now_ns, policy.act(world.frame()))
        for event in chain.run((number + 1) * _NS // FRAME_RATE_HZ):
            score.on_event(event)
        points.append((world.pose.x, world.pose.y))
        if score.done:
            break
        if world.off_track:
            world.put_back()
            chain.clear()
    return Drive(tuple(score.laps_s), score.off_tracks, laps, tuple(points))


class _Score:
    """Counts laps and off-tracks from the world's events."""

    def __init__(self, laps: int) -> None:
        self.laps_s: list[float] = []
        self.off_tracks = 0
        self._wanted = laps
        self._last_ns: int | None = None

    @property
    def done(self) -> bool:
        return len(self.laps_s) >= self._wanted or self.off_tracks >= MAX_OFF_TRACKS

    def on_event(self, event: WorldEvent) -> None:
        if isinstance(event, FrameDue) or self.done:
            return
        if isinstance(event, CarLeftTrack):
            self.off_tracks += 1
        elif isinstance(event, TrueCrossing) and event.gate == "start" and event.direction == FORWARD:
            if self._last_ns is not None:
                self.laps_s.append((event.at_ns - self._last_ns) / _NS)
            self._last_ns = event.at_ns


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
    load_policy(model, throttle_percent, profile)
    try_model(find_model(model))
    work = [(model, throttle_percent, profile, name, seed, laps, width_px) for name in tracks for seed in range(seeds)]
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts_to_the_parent)
    try:
        results = pool.map(_one, work)
        for track in loaded:
            yield verdict(track.name, [next(results) for _ in range(seeds)])
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


_policy = cache(load_policy)
_track = cache(load_track)


def _one(work: tuple[str, float | None, ProfileName, str, int, int, int]) -> Drive:
    model, throttle_percent, profile, track, seed, laps, width_px = work
    return drive(_policy(model, throttle_percent, profile), _track(track), seed, laps, width_px)
