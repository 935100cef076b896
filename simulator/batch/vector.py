"""`BatchWorlds`: N mock worlds in lock-step, 15 frames a second, without Python in the loop.

Each world is what `World` and `DriveChain` are for one car: the same car, limiter, pulses, gates and road check on the
same grid. What happens in a world depends on its spec and its commands alone: not on how many worlds there are, in
which order, or on how many threads. Training, environments, evaluation and the farm are built on it.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.batch.compiled import call
from simulator.batch.drawing.renderer import Frames, Renderer
from simulator.batch.drive import (
    BACK_ON_TRACK,
    CRASHED,
    CROSSING,
    LEFT_TRACK,
    drive_worlds,
    look_round_worlds,
)
from simulator.batch.road import Roads
from simulator.batch.specs import MAX_GATES, WorldSpec, gate_rows, world_row
from simulator.batch.states import Floats, WorldStates
from simulator.batch.track_objects import check_rivals
from simulator.world.geometry import Pose, Track
from simulator.world.world import PUT_BACK_M, START_BEFORE_LINE_M

__all__ = [
    "BACK_ON_TRACK",
    "CRASHED",
    "CROSSING",
    "FRAME_RATE_HZ",
    "LEFT_TRACK",
    "BatchWorlds",
    "Events",
    "Floats",
    "WorldSpec",
]

FRAME_RATE_HZ = 15

Events = NDArray[Any]
Members = NDArray[np.int64]


class BatchWorlds(WorldStates):
    """N worlds, one car in each. All state is in arrays of shape (N,), which are views: copy what you keep.

    A `worlds` argument names some of them by index (any sequence of ints, no repeats); None is all of them.
    """

    def __init__(
        self, specs: Sequence[WorldSpec], size: tuple[int, int] = (160, 120), channels: int = 1, threads: int = 1
    ) -> None:
        """Build the worlds; `size` (width, height) in pixels, `channels` 1 (grey) or 3 (BGR), `threads` 1 or more."""
        assert channels in (1, 3), "pictures are grey or BGR"
        assert threads >= 1
        super().__init__(len(specs))
        self.specs: list[WorldSpec] = list(specs)
        self.size, self.channels = size, channels
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._threads = threads
        self._roads = Roads(())
        self._build(range(len(specs)))

    def close(self) -> None:
        """End the threads; the worlds may not be stepped any more."""
        if self._pool is not None:
            self._pool.shutdown()

    # What may be done

    def step(self, commands: ArrayLike, worlds: Sequence[int] | Members | None = None) -> Events:
        """Drive one frame interval (1/15 s), each world with the command computed from its newest frame.

        `commands`: (N, 2) float, steering (+ is left) and throttle, each in [-1, 1] (more is limited, not finite is
        neutral). Rows of worlds that are not named are ignored; those worlds stand still in time.

        Returns what happened, in order of world and time: a structured array (K,) with the fields `world` (index),
        `kind` (CROSSING, LEFT_TRACK, BACK_ON_TRACK, CRASHED), `gate` (0 is the start line, then the splits),
        `direction` (1 forward, -1 reverse, 0 for the others) and `at_ns` (the world's time). Of CRASHED, `gate` is the
        number of the object that the car came into contact with, and `direction` 1 if the car was behind it, else -1.
        A car put back since the last step is reported here as BACK_ON_TRACK.
        """
        table = np.ascontiguousarray(commands, np.float64)
        assert table.shape == (len(self), 2), f"commands have shape {table.shape}, not {(len(self), 2)}"
        members = self._members(worlds)
        self._objects.advance(members, self._worlds)
        self._spread(
            lambda part: call(
                drive_worlds,
                part,
                self._worlds,
                self._roads.rows,
                self._gates,
                self._objects.rows,
                table,
                self._waiting,
                self._pulses,
                self._events,
                self._counts,
            ),
            members,
        )
        return self._take_events(members)

    def place_at_start(self, worlds: Sequence[int] | Members | None = None) -> None:
        """Place cars 1.75 m before the start line, standing, in driving direction; their commands are dropped."""
        members = self._members(worlds)
        self._put_down(members, [self._track(n).pose_at(-START_BEFORE_LINE_M) for n in members])
        self._worlds["progress_m"][members] = 0.0

    def put_at(
        self,
        s_m: ArrayLike,
        lateral_m: ArrayLike = 0.0,
        turn_rad: ArrayLike = 0.0,
        worlds: Sequence[int] | Members | None = None,
    ) -> None:
        """Place cars anywhere, standing: `s_m` along the track, `lateral_m` left of its middle, turned by `turn_rad`.

        Each value is one number for all named worlds, or an array with one for each of them, in their order.
        """
        members = self._members(worlds)
        spots = np.broadcast_arrays(np.zeros(len(members)), s_m, lateral_m, turn_rad)[1:]
        poses = []
        for n, s, lateral, turn in zip(members, *(spot.tolist() for spot in spots), strict=True):
            pose = self._track(n).pose_at(s, lateral)
            poses.append(Pose(pose.x, pose.y, pose.yaw + turn))
        self._put_down(members, poses)
        self._worlds["progress_m"][members] = 0.0

    def put_back(self, worlds: Sequence[int] | Members | None = None, distance_m: float = PUT_BACK_M) -> None:
        """Put cars back on the centre line `distance_m` before their place, as a marshal does; progress counts on.

        Where there are objects, cars come into the free lane a metre before (`simulator/objects/putting_back.py`).
        """
        members = self._members(worlds)
        table, poses = self._worlds, []
        for n in members.tolist():
            s_m = float(table["s_m"][n])
            back = self._objects.put_back(n, s_m, float(table["x"][n]), float(table["y"][n]))
            back_m, pose = back or (s_m - distance_m, self._track(n).pose_at(s_m - distance_m))
            poses.append(pose)
            table["progress_m"][n] -= math.remainder(s_m - back_m, self._track(n).length_m)
        self._put_down(members, poses)

    def set_solid(self, solid: bool, worlds: Sequence[int] | Members | None = None) -> None:
        """Whether cars touch objects; one that serves a penalty does not, as other cars drive through it."""
        self._worlds["solid"][self._members(worlds)] = solid

    def pause_bots(self, world: int, seconds: float) -> None:
        """Let the bots of a world wait, one of which ran into the car from behind."""
        self._objects.pause(world, seconds)

    def reset(self, worlds: Sequence[int] | Members, specs: Sequence[WorldSpec]) -> None:
        """Build the named worlds anew from `specs`, one for each, at time 0 and before the start; others drive on."""
        members = self._members(worlds)
        assert len(members) == len(specs), "a spec for each world"
        for n, spec in zip(members.tolist(), specs, strict=True):
            self.specs[n] = spec
        self._build(members.tolist())
        if "_renderer" in self.__dict__:
            self._renderer.rebuild(members.tolist(), self.specs)

    def place_quads(
        self, corners: ArrayLike, colours: ArrayLike, worlds: Sequence[int] | Members | None = None
    ) -> None:
        """Let flat uprights stand in the named worlds, as sides of boxes and cars, in place of those before.

        `corners`: (K, Q, 4, 3) metres, for each of the K named worlds Q quads, each top left, top right, bottom right,
        bottom left as its front is seen (from behind it is not seen); one that is not a number is not there.
        `colours`: (K, Q, 3) BGR, 0 to 255.
        """
        self._renderer.place_quads(self._members(worlds), corners, colours)

    def render(self, out: Frames, worlds: Sequence[int] | Members | None = None, beside_m: float = 0.0) -> None:
        """Draw the newest frame of each named world into its row of `out`; other rows stay as they are.

        `beside_m`: the camera looks out so far to the left of the car's middle, as an eye of a stereo pair does.

        `out`: (N, height, width) uint8 for grey pictures, (N, height, width, 3) BGR; C-contiguous.
        A frame's noise is drawn from the world's seed and time: the same frame drawn twice is the same.
        """
        width, height = self.size
        shape = (len(self), height, width) if self.channels == 1 else (len(self), height, width, self.channels)
        assert out.dtype == np.uint8, "frames are uint8"
        assert out.shape == shape, f"out has shape {out.shape}, not {shape}"
        assert out.flags.c_contiguous, "out must be contiguous"
        frames = out[..., None] if self.channels == 1 else out
        renderer, members = self._renderer, self._members(worlds)
        faces = self._objects.faces(members, self._worlds)
        if faces is not None:
            renderer.place_quads(*faces)
        table = self._worlds if beside_m == 0.0 else self._moved_aside(beside_m)
        self._spread(lambda part: renderer.draw(part, table, frames), members)

    @property
    def bytes_a_world(self) -> int:
        """The memory of one world beyond floors, boards and noise, which all share; pictures included once drawn."""
        return super().bytes_a_world + (self._renderer.bytes_a_world if "_renderer" in self.__dict__ else 0)

    # How

    @cached_property
    def _renderer(self) -> Renderer:
        """Made when the first picture is asked for."""
        return Renderer(self.specs, self.size, self.channels)

    def _moved_aside(self, beside_m: float) -> NDArray[Any]:
        """The worlds with each car moved to its left, and noise of its own in that eye's picture."""
        table = self._worlds.copy()
        table["x"] -= beside_m * np.sin(table["yaw"])
        table["y"] += beside_m * np.cos(table["yaw"])
        table["steps"] += _LEFT_EYE if beside_m > 0.0 else _RIGHT_EYE
        return table

    def _track(self, n: int) -> Track:
        return self.specs[n].track

    def _members(self, worlds: Sequence[int] | Members | None) -> Members:
        return np.arange(len(self)) if worlds is None else np.asarray(worlds, np.int64)

    def _spread(self, work: Callable[[Members], object], members: Members) -> None:
        """Do `work` on the members, in equal parts on each thread."""
        if self._pool is None or len(members) < self._threads:
            work(members)
            return
        for _ in self._pool.map(work, np.array_split(members, self._threads)):
            pass

    def _build(self, places: Iterable[int]) -> None:
        if any(spec.track not in self._roads for spec in self.specs):
            self._roads = Roads(spec.track for spec in self.specs)
            for n, spec in enumerate(self.specs):
                self._worlds["road_first"][n] = self._roads.part(spec.track).first
        check_rivals(self.specs)
        members = np.array(list(places), np.int64)
        for n in members.tolist():
            spec = self.specs[n]
            self._worlds[n] = world_row(spec, n, self._roads.part(spec.track))
            self._worlds["object_count"][n] = self._objects.build(n, spec)
            self._gates[n * MAX_GATES : (n + 1) * MAX_GATES] = gate_rows(spec)
        self._counts[members] = 0
        self.place_at_start(members)

    def _put_down(self, members: Members, poses: Sequence[Pose]) -> None:
        """Place cars standing, with straight wheels; neutral until the next command takes effect."""
        if not len(members):  # as after most frames
            return
        table = self._worlds
        for n in members[table["off_track"][members]].tolist():
            event = self._events[n, self._counts[n]]
            event["kind"], event["gate"], event["direction"], event["at_ns"] = BACK_ON_TRACK, 0, 0, self.now_ns[n]
            self._counts[n] += 1
        for name, column in zip(("x", "y", "yaw"), np.array(poses, np.float64).reshape(-1, 3).T, strict=True):
            table[name][members] = column
        for name in _STILL:
            table[name][members] = 0
        table["steering_rad"][members] = table["trim_rad"][members]
        table["tick_ns"][members] = self.now_ns[members]
        self._gates["broken"].reshape(-1, MAX_GATES)[members] = False
        call(look_round_worlds, members, table, self._roads.rows)

    def _take_events(self, members: Members) -> Events:
        if not np.count_nonzero(self._counts):  # as after most frames
            return self._events[:0, 0]
        busy = members[self._counts[members] > 0]
        if not len(busy):
            return self._events[:0, 0]
        happened = np.concatenate([self._events[n, : self._counts[n]] for n in busy.tolist()])
        self._counts[members] = 0
        return happened[np.lexsort((happened["at_ns"], happened["world"]))]


# The noise of a picture is drawn by the world's steps: those of the eyes of a stereo pair are long after any race.
_LEFT_EYE, _RIGHT_EYE = 1 << 40, 1 << 41

# What is zero after a car was put down.
_STILL = (
    "speed_mps",
    "sideways_mps",
    "turning_radps",
    "steering_command",
    "throttle_command",
    "set_steering",
    "set_throttle",
    "last_steering",
    "last_throttle",
    "commands_count",
    "pulses_given",
    "steering_taken",
    "throttle_taken",
    "off_track",
)
