"""The world of one episode, drawn from the environment's generator: track, car, floor, camera, delays and start."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.batch.vector import WorldSpec
from simulator.env.options import EnvironmentOptions
from simulator.objects.bots import make_bots
from simulator.objects.boxes import make_boxes
from simulator.objects.lanes import lanes_of
from simulator.world.camera_sensor import CameraSensor
from simulator.world.cars.profiles import PHYSICAL, draw_car
from simulator.world.floor_masks import FloorGeometry
from simulator.world.geometry import Track
from simulator.world.looks import draw_appearance, look_of
from simulator.world.world import WorldParts, draw_parts
from vehicle.core.limiter import DriveLimits

NONE, RACES, TRAINING = 0, 1, 2  # how much varies
STANDARD_LATENCY_NS = 40_000_000
RACE_LATENCY_NS = (20_000_000, 60_000_000)
TRAINING_LATENCY_NS = (0, 120_000_000)
TRAINING_SPREAD = (0.6, 1.7)
TRAINING_LOST_FRAMES = 0.04
RACE_GEOMETRIES, TRAINING_GEOMETRIES = 4, 8  # floors of a track
TRAINING_BOARDS = 0.8  # share of the worlds with boards at the gate
TRAINING_BLUR_SHARE, TRAINING_BLUR_PX = 0.25, (0.5, 2.5)

# A simulated car obeys at once; it has no guard that limits how fast the throttle may grow.
UNLIMITED = DriveLimits(throttle_slew_per_s=100.0, steering_slew_per_s=100.0)


def draw_world(options: EnvironmentOptions, rng: np.random.Generator) -> WorldSpec:
    """The world of the next episode."""
    track = options.tracks[int(rng.integers(len(options.tracks)))]
    seed = int(rng.integers(1 << 30))
    lanes = _lanes(track) if options.boxes is not None or options.bots is not None else None
    return WorldSpec(
        track=track,
        parts=_parts(options, rng, track, seed),
        seed=seed,
        latency_ns=_latency_ns(options.randomise, rng),
        lost_frame_share=TRAINING_LOST_FRAMES if options.randomise == TRAINING else 0.0,
        limits=DriveLimits() if options.profile == PHYSICAL else UNLIMITED,
        boxes=() if options.boxes is None or lanes is None else make_boxes(lanes, options.boxes, seed),
        bots=None if options.bots is None or lanes is None else make_bots(lanes, options.bots, seed),
    )


_lanes = lru_cache(maxsize=64)(lanes_of)


def _parts(options: EnvironmentOptions, rng: np.random.Generator, track: Track, seed: int) -> WorldParts:
    spread, board = 1.0, True
    if options.randomise == NONE:
        seed, spread, board = 0, 0.0, options.profile == PHYSICAL
    elif options.randomise == TRAINING:
        spread, board = float(rng.uniform(*TRAINING_SPREAD)), bool(rng.random() < TRAINING_BOARDS)
    parts = draw_parts(track, seed, spread=spread, board=board)
    look, lens = parts.appearance, parts.lens
    if options.randomise == NONE:
        look, lens = look_of(track.name), CameraSensor(lens.camera, blur_px=0.0, noise=0.0)
    else:
        look = replace(look, geometry=_geometry(rng, track, options.randomise))
    if options.randomise == TRAINING and rng.random() < TRAINING_BLUR_SHARE:
        lens = replace(lens, blur_px=float(rng.uniform(*TRAINING_BLUR_PX)))
    return replace(parts, car=draw_car(seed, spread, options.profile), appearance=look, lens=lens)


def _geometry(rng: np.random.Generator, track: Track, randomise: int) -> FloorGeometry:
    """The measures of lines and dashes: the track's own, or one of a few: drawing a floor takes as long as 50 steps."""
    number = int(rng.integers(TRAINING_GEOMETRIES if randomise == TRAINING else RACE_GEOMETRIES))
    return look_of(track.name).geometry if number == 0 else draw_appearance(number).geometry


def _latency_ns(randomise: int, rng: np.random.Generator) -> int:
    if randomise == NONE:
        return STANDARD_LATENCY_NS
    low, high = RACE_LATENCY_NS if randomise == RACES else TRAINING_LATENCY_NS
    return int(rng.integers(low, high + 1))
