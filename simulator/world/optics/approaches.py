"""Drives over the gate's line at a steady speed, frame by frame, with the instant at which the nose was on the line.

What a lap watcher is measured by, through any camera: `./dev bench lapwatch-optics` and tests. A car that drives by
itself, which does not keep its line or speed so well, is in `world.py`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from simulator.world.camera import CameraParameters, UprightBoard, render
from simulator.world.floor_masks import Image
from simulator.world.floor_texture import FloorTexture, draw_texture
from simulator.world.gate_boards import GATE_BOARDS, gate_boards
from simulator.world.geometry import Pose, Track
from simulator.world.looks import look_of
from simulator.world.optics.wide_lens import WideLens, render_wide
from simulator.world.surroundings import Surroundings, grey_level, surroundings_of

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StampedFrame:
    """A grey picture (height, width) and the time of its capture."""

    pixels: Image
    at_ns: int


@dataclass(frozen=True, slots=True)
class Approach:
    """One drive over the line: from so far before it to so far behind it, beside the middle of the road, turned to
    the left of it; the frames' grid begins `phase` of a frame after the start. `sway_rad` is a pitch that swings."""

    speed_mps: float
    lateral_m: float = 0.0
    turn_rad: float = 0.0
    phase: float = 0.0
    rate_hz: float = 15.0
    from_m: float = 4.0
    to_m: float = 1.2
    start_ns: int = 10 * _NS
    sway_rad: float = 0.0
    sway_hz: float = 17.0

    @property
    def line_ns(self) -> int:
        """When the nose is on the line."""
        return self.start_ns + round(self.from_m / self.speed_mps * _NS)

    def frame_times_ns(self) -> list[int]:
        """When frames are captured, in order."""
        count = int((self.from_m + self.to_m) / self.speed_mps * self.rate_hz)
        return [self.start_ns + round((n + self.phase) / self.rate_hz * _NS) for n in range(count)]


class ApproachView:
    """The start/finish gate of a track as a camera sees it; `camera_ahead_m`: from the car's nose to the lens."""

    def __init__(
        self, track: Track, camera: CameraParameters, lens: WideLens | None = None, camera_ahead_m: float = 0.005
    ) -> None:
        look = look_of(track.name)
        self._track, self._camera, self._lens = track, replace(camera, forward_m=0.0), lens
        self._camera_ahead_m = camera_ahead_m
        self._texture: FloorTexture = draw_texture(track, look, grey=True)
        self._surroundings: Surroundings = surroundings_of(track, look.surroundings)
        self._boards: list[UprightBoard] = gate_boards(track, GATE_BOARDS)

    def frame(self, approach: Approach, at_ns: int) -> Image:
        """What the camera sees at one instant: (height, width) uint8, without any exposure or noise."""
        gone_m = (at_ns - approach.start_ns) / _NS * approach.speed_mps
        lens_m = gone_m - approach.from_m + self._camera_ahead_m
        x, y, yaw = self._track.pose_at(lens_m, approach.lateral_m)
        pose = Pose(x, y, yaw + approach.turn_rad)
        sway_rad = approach.sway_rad * math.sin(2 * math.pi * approach.sway_hz * at_ns / _NS)
        camera = replace(self._camera, pitch_rad=self._camera.pitch_rad + sway_rad) if sway_rad else self._camera
        sky = grey_level(self._surroundings.sky)
        if self._lens is None:
            return render(self._texture, camera, pose, sky, self._boards, self._surroundings)
        return render_wide(self._texture, camera, self._lens, pose, sky, self._boards, self._surroundings)

    def frames(self, approach: Approach) -> Iterator[StampedFrame]:
        """All frames of the drive, in order."""
        for at_ns in approach.frame_times_ns():
            yield StampedFrame(self.frame(approach, at_ns), at_ns)


def spread_approaches(count: int, speed_mps: float, seed: int = 1, **settings: float) -> list[Approach]:
    """`count` drives that differ in their place on the road (to 0.22 m), direction (to 3 degrees) and frame grid."""
    rng = np.random.default_rng([seed, round(speed_mps * 1000)])
    laterals = np.linspace(-0.22, 0.22, count) if count > 1 else np.zeros(1)
    return [
        Approach(
            speed_mps,
            float(lateral_m),
            float(rng.uniform(-1, 1)) * math.radians(3),
            float(rng.random()),
            **settings,  # type: ignore[arg-type]
        )
        for lateral_m in laterals
    ]
