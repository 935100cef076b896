"""The mock world: one car on one track with its camera and its gates, stepped on virtual time.

No clock, no thread: `step(until_ns)` integrates on a fixed grid of 240 sub-steps a second, so what happens never
depends on how the caller slices time. The world process runs it in real time (realtime/world_process.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.world.beams import Beam, line_across
from simulator.world.camera import CameraParameters, UprightBoard, render
from simulator.world.camera_sensor import CameraSensor, draw_lens, expose
from simulator.world.car import CarParameters, CarPose, SimulatedCar
from simulator.world.cars.profiles import draw_car
from simulator.world.floor_masks import Image
from simulator.world.floor_texture import Appearance, FloorTexture, draw_texture
from simulator.world.gate_boards import GATE_BOARDS, gate_boards
from simulator.world.geometry import Pose, Track, TrackPlace
from simulator.world.looks import draw_appearance
from simulator.world.optics.wide_lens import WideLens, render_wide
from simulator.world.surroundings import Surface, Surroundings, grey_level, surroundings_of
from simulator.world.world_events import BeamEdge, CarBackOnTrack, CarLeftTrack, FrameDue, TrueCrossing, WorldEvent
from vehicle.core.pulses import Pulses

__all__ = [
    "BeamEdge",
    "CarBackOnTrack",
    "CarLeftTrack",
    "CarPose",
    "FrameDue",
    "TrueCrossing",
    "World",
    "WorldEvent",
    "WorldParts",
]  # fmt: skip

STEPS_PER_S = 240
ROAD_CHECK_STEPS = 4
START_BEFORE_LINE_M = 1.75  # far enough for the car to see the boards and to be at speed when it passes
PUT_BACK_M = 1.0
_STEP_S = 1.0 / STEPS_PER_S
_NS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class WorldParts:
    """The parts that vary between worlds; `draw_parts` draws them from a seed, training draws harsher ones."""

    car: CarParameters
    appearance: Appearance
    lens: CameraSensor
    boards: tuple[UprightBoard, ...]


def draw_parts(
    track: Track,
    seed: int,
    *,
    appearance: int | None = None,
    board: bool = True,
    spread: float = 1.0,
    start_lines: float = 0.0,
) -> WorldParts:
    """The car, floor and camera of world `seed`; `start_lines` is the chance of a line painted at the start."""
    boards = tuple(gate_boards(track, GATE_BOARDS)) if board else ()
    floor = draw_appearance(seed if appearance is None else appearance, spread, start_lines)
    return WorldParts(draw_car(seed, spread), floor, draw_lens(seed, spread), boards)


class World:
    """One car on one track. `step` moves time, `apply` sets the pulses, `frame` is the newest picture."""

    def __init__(
        self,
        track: Track,
        seed: int,
        *,
        frame_rate_hz: int = 15,
        start_ns: int = 0,
        appearance: int | None = None,
        board: bool = True,
        splits: Sequence[float] = (),
        parts: WorldParts | None = None,
        wide_lens: WideLens | None = None,
    ) -> None:
        """`wide_lens`: a fisheye on the camera instead of its own flat lens."""
        assert STEPS_PER_S % frame_rate_hz == 0, "frames must fall on the grid of sub-steps"
        self.track = track
        self.parts = parts or draw_parts(track, seed, appearance=appearance, board=board)
        self._wide_lens = wide_lens
        self._start_ns = start_ns
        self._steps = 0
        self._steps_per_frame = STEPS_PER_S // frame_rate_hz
        self._noise = np.random.default_rng([seed, 0xCA])
        gates = [line_across(track, "start")]
        gates += [line_across(track, f"split{n}", share * track.length_m) for n, share in enumerate(splits, 1)]
        self._beams = [Beam(line) for line in gates]
        self.standing: Sequence[Surface] = ()  # boxes and other cars; whoever moves them sets them for the next frame
        self._pending: list[WorldEvent] = []
        self._off_track = False
        self._car = SimulatedCar(self.parts.car, track.pose_at(-START_BEFORE_LINE_M))
        self._put_down(track.pose_at(-START_BEFORE_LINE_M))

    @property
    def now_ns(self) -> int:
        """The time up to which the world has been integrated: the last grid point reached."""
        return self._at_ns(self._steps)

    @property
    def pose(self) -> CarPose:
        """The car's present pose and motion."""
        return self._car.pose

    @property
    def place(self) -> TrackPlace:
        """The car's place on the track at the last check (60 per second)."""
        return self._place

    @property
    def off_track(self) -> bool:
        """True if no wheel is on the road."""
        return self._off_track

    def place_at_start(self) -> None:
        """Place the car before the line, standing still, in driving direction."""
        self._put_down(self.track.pose_at(-START_BEFORE_LINE_M))

    def put_back(self, distance_m: float = PUT_BACK_M) -> None:
        """Put the car back on the centre line `distance_m` before its place, as a marshal does."""
        self._put_down(self.track.pose_at(self._place.s_m - distance_m))

    def put_at(self, s_m: float, lateral_m: float = 0.0, turn_rad: float = 0.0) -> None:
        """Place the car anywhere on the road, turned by `turn_rad` from the road's direction."""
        pose = self.track.pose_at(s_m, lateral_m)
        self._put_down(Pose(pose.x, pose.y, pose.yaw + turn_rad))

    def apply(self, pulses: Pulses | None) -> None:
        """Set the pulses from now on; None is no pulse: the ESC goes to neutral."""
        self._car.command(self.now_ns, pulses)

    def step(self, until_ns: int) -> list[WorldEvent]:
        """Integrate up to `until_ns` (whole sub-steps only); return the events in order of time."""
        events, self._pending = self._pending, []
        before = self._car.pose
        while self._at_ns(self._steps + 1) <= until_ns:
            before_ns = self.now_ns
            self._car.step(before_ns, _STEP_S)
            self._steps += 1
            after = self._car.pose
            for beam in self._beams:
                events += beam.move(before, before_ns, after, self.now_ns)
            before = after
            self._observe(events)
        return sorted(events, key=lambda event: event.at_ns)

    @cached_property
    def _texture(self) -> FloorTexture:
        return draw_texture(self.track, self.parts.appearance, grey=True)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What surrounds the track."""
        return surroundings_of(self.track, self.parts.appearance.surroundings)

    def frame(self, beside_m: float = 0.0) -> Image:
        """The picture of the newest frame instant, (240, 320) uint8 grey; each call draws fresh sensor noise.

        `beside_m`: the camera looks out so far to the left of the car's middle, as an eye of a stereo pair does.
        """
        lens = self.parts.lens
        sky = grey_level(self.surroundings.sky)
        x, y, yaw = self._frame_pose
        eye = Pose(x - beside_m * math.sin(yaw), y + beside_m * math.cos(yaw), yaw)
        shown = (eye, sky, self._uprights, self.surroundings)
        if self._wide_lens is None:
            picture = render(self._texture, lens.camera, *shown)
        else:
            picture = render_wide(self._texture, lens.camera, self._wide_lens, *shown)
        return expose(picture, lens, self._noise)

    def picture(self, camera: CameraParameters | None = None) -> Image:
        """The car's present camera view as a colour picture (480, 640, 3) BGR, for people."""
        camera = camera or CameraParameters(640, 480)
        texture = draw_texture(self.track, self.parts.appearance)
        return render(texture, camera, self._car.pose.place, self.surroundings.sky, self._uprights, self.surroundings)

    @property
    def _uprights(self) -> list[UprightBoard | Surface]:
        return [*self.parts.boards, *self.standing]

    def _at_ns(self, steps: int) -> int:
        return self._start_ns + steps * _NS // STEPS_PER_S

    def _put_down(self, pose: Pose) -> None:
        for beam in self._beams:
            self._pending += beam.lift(self.now_ns)
        if self._off_track:
            self._pending.append(CarBackOnTrack(self.now_ns))
        self._off_track = False
        self._car.place(pose)
        self._place = self.track.locate(pose.x, pose.y)
        self._frame_pose = pose

    def _observe(self, events: list[WorldEvent]) -> None:
        """Expose frames and check the road, each at its own multiple of the grid."""
        if self._steps % self._steps_per_frame == 0:
            self._frame_pose = self._car.pose.place
            events.append(FrameDue(self.now_ns))
        if self._steps % ROAD_CHECK_STEPS == 0:
            self._check_road(events)

    def _check_road(self, events: list[WorldEvent]) -> None:
        """Off-track when none of the four wheels is inside the road (deepracer-simapp's rule)."""
        pose, track = self._car.pose, self.track
        self._place = track.locate(pose.x, pose.y, self._place.segment)
        near = self._place.segment
        on = abs(self._place.lateral_m) < track.half_width_at(near) - 0.02
        on = on or any(track.on_road(x, y, near) for x, y in pose.wheels())
        if on == self._off_track:
            self._off_track = not on
            events.append(CarBackOnTrack(self.now_ns) if on else CarLeftTrack(self.now_ns))
