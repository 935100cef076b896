"""What one world of a batch is made of, checked, and its row in the table of worlds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared.errors import BadInput
from simulator.batch.car import WORLD
from simulator.batch.drive import GATE, NOT_HIT, STEPS_PER_S
from simulator.batch.road import RoadPart
from simulator.objects.bots import Bots
from simulator.objects.placing import PlacedObject
from simulator.world.beams import line_across
from simulator.world.car import motion_constants
from simulator.world.geometry import Track
from simulator.world.world import WorldParts
from vehicle.core.limiter import DriveLimits

MAX_LATENCY_NS = 1_000_000_000
MAX_GATES = 16

_LIMITS = ("throttle_cap", "reverse_cap", "throttle_slew_per_s", "steering_slew_per_s")


@dataclass(frozen=True, eq=False)
class WorldSpec:
    """One world of a batch. The other direction of a track is `track.reversed()`.

    `seed` draws the sensor's noise and the lost frames; car, floor and camera are in `parts` (`draw_parts` draws them).
    A command takes effect `latency_ns` (0 to 1 s) after its frame; a share of the frames is lost on the way to the
    policy, so that their commands count for nothing. `splits` are gates beside the start line, as shares of the track.
    `boxes` and `bots` stand and drive on the track (`simulator/objects`); `rival` is the number of the world whose car
    drives here too, as this one does there.
    """

    track: Track
    parts: WorldParts
    seed: int
    latency_ns: int = 0
    lost_frame_share: float = 0.0
    limits: DriveLimits = field(default_factory=DriveLimits)
    splits: tuple[float, ...] = ()
    boxes: tuple[PlacedObject, ...] = ()
    bots: Bots | None = None
    rival: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.latency_ns <= MAX_LATENCY_NS:
            raise BadInput(f"The latency of a world is {self.latency_ns} ns: it must be 0 to 1 s.")
        for delay_s in (self.parts.car.steering_delay_s, self.parts.car.throttle_delay_s):
            if not 0.0 <= delay_s <= 1.0:
                raise BadInput(f"The delay of a car is {delay_s:g} s: it must be 0 to 1 s.")
        if not 0.0 <= self.lost_frame_share < 1.0:
            raise BadInput(f"The share of lost frames is {self.lost_frame_share:g}: it must be 0 to below 1.")
        if len(self.splits) >= MAX_GATES:
            raise BadInput(f"There are {len(self.splits)} split gates: a world may have {MAX_GATES - 1}.")


def world_row(spec: WorldSpec, place: int, road: RoadPart) -> Any:
    """The row of WORLD for a world that was never driven; it is number `place` of its batch."""
    row = np.zeros((), WORLD)
    row["road_first"], row["road_count"] = road.first, road.count
    row["road_window"], row["road_length_m"] = road.window, road.length_m
    row["gate_first"], row["gate_count"] = place * MAX_GATES, 1 + len(spec.splits)
    car = spec.parts.car
    row["latency_ns"], row["trim_rad"] = spec.latency_ns, car.steering_trim_rad
    row["steering_delay_ns"] = round(car.steering_delay_s * 1e9)
    row["throttle_delay_ns"] = round(car.throttle_delay_s * 1e9)
    row["car"] = motion_constants(car, 1.0 / STEPS_PER_S)
    for name in _LIMITS:
        row[name] = getattr(spec.limits, name)
    row["solid"], row["hit"] = True, NOT_HIT
    row["lost_frame_share"], row["seed"] = spec.lost_frame_share, spec.seed % (1 << 64)
    return row


def gate_rows(spec: WorldSpec) -> Any:
    """The world's gates, start line first: an array of GATE, shape (MAX_GATES,)."""
    rows = np.zeros(MAX_GATES, GATE)
    for number, share in enumerate((0.0, *spec.splits)):
        line = line_across(spec.track, f"gate{number}", share * spec.track.length_m)
        rows[number] = (*line.middle, *line.along, line.half_m, False)
    return rows
