"""What is the case in each world of a batch, as arrays over all worlds."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.car import COMMANDS_WAITING, PULSES_WAITING, WAITING, WORLD
from simulator.batch.drive import EVENT, GATE, MAX_EVENTS, NS_PER_S, STEPS_PER_S
from simulator.batch.specs import MAX_GATES
from simulator.batch.track_objects import TrackObjects

Floats = NDArray[np.float64]


class WorldStates:
    """The tables of N worlds. Arrays of shape (N,) are views: copy what you keep."""

    def __init__(self, count: int) -> None:
        self._worlds = np.zeros(count, WORLD)
        self._gates = np.zeros(count * MAX_GATES, GATE)
        self._waiting = np.zeros((count, COMMANDS_WAITING), WAITING)
        self._pulses = np.zeros((count, PULSES_WAITING), WAITING)
        self._events = np.zeros((count, MAX_EVENTS), EVENT)
        self._events["world"] = np.arange(count)[:, None]
        self._counts = np.zeros(count, np.int64)
        self._objects = TrackObjects(count)

    def __len__(self) -> int:
        return len(self._worlds)

    @property
    def bytes_a_world(self) -> int:
        """The memory of one world's tables."""
        tables = (self._worlds, self._gates, self._waiting, self._pulses, self._events, self._counts)
        return sum(table.nbytes for table in (*tables, self._objects.rows)) // max(1, len(self))

    @property
    def now_ns(self) -> NDArray[np.int64]:
        """Each world's own time since it was built or reset, ns, (N,) int64: the instant of its newest frame."""
        return np.asarray(self._worlds["steps"] * NS_PER_S // STEPS_PER_S)

    @property
    def pose(self) -> Floats:
        """x (m), y (m), yaw (rad, -pi to pi, counter-clockwise from +x) of each car's base, (N, 3): a copy."""
        pose = np.empty((len(self), 3))  # np.stack takes three times as long, which one car feels
        pose[:, 0], pose[:, 1], pose[:, 2] = self._worlds["x"], self._worlds["y"], self._worlds["yaw"]
        return pose

    def place(self, world: int) -> tuple[float, float]:
        """x and y (m) of one car's base, in a quarter of the time of `pose`: for who needs no more of each frame."""
        return self._worlds["x"].item(world), self._worlds["y"].item(world)

    @property
    def speed_mps(self) -> Floats:
        """Speed of each car along its axis, m/s, (N,)."""
        return self._worlds["speed_mps"]

    @property
    def steering_rad(self) -> Floats:
        """Effective angle of the front wheels, rad, + is left, (N,)."""
        return self._worlds["steering_rad"]

    @property
    def applied(self) -> Floats:
        """Steering and throttle as the limiter last let them through, each -1 to 1, (N, 2): a copy."""
        return np.stack([self._worlds["last_steering"], self._worlds["last_throttle"]], axis=1)

    @property
    def segment(self) -> NDArray[np.int64]:
        """Index of the track's row before each car: it is between rows `segment` and `segment + 1`, (N,) int64."""
        return self._worlds["segment"]

    @property
    def s_m(self) -> Floats:
        """Each car's place along the centre line, m from the start line, 0 to the track's length, (N,)."""
        return self._worlds["s_m"]

    @property
    def lateral_m(self) -> Floats:
        """Each car's distance from the centre line, m, + is left of it, (N,)."""
        return self._worlds["lateral_m"]

    @property
    def progress_m(self) -> Floats:
        """Metres made good along the centre line since the car was placed (not: put back), negative backwards, (N,)."""
        return self._worlds["progress_m"]

    @property
    def off_track(self) -> NDArray[np.bool_]:
        """True where no wheel is on the road (checked 60 times a second), (N,) bool."""
        return self._worlds["off_track"]

    @property
    def wheels_on_road(self) -> NDArray[np.int64]:
        """How many of the four wheels are on the road at the newest frame, (N,) int64."""
        return self._worlds["wheels_on_road"]

    @property
    def heading_error_rad(self) -> Floats:
        """Each car's yaw less the road's direction there, rad, -pi to pi, (N,)."""
        return self._worlds["heading_error_rad"]

    @property
    def reversed(self) -> NDArray[np.bool_]:
        """True where the car points more than 90 degrees away from the driving direction, (N,) bool."""
        return np.asarray(np.abs(self._worlds["heading_error_rad"]) > math.pi / 2)

    @property
    def hit(self) -> NDArray[np.int64]:
        """Number of the object that each car came into contact with in the last frame interval, -1 if none, (N,)."""
        return self._worlds["hit"]

    @property
    def objects(self) -> NDArray[Any]:
        """Boxes, bots and rivals, an array of OBJECT (batch/track_objects.py), shape (N, 13); kind 0 is none."""
        return self._objects.rows

    def outlines(self, worlds: NDArray[np.int64]) -> Floats:
        """Where the objects of the named worlds are now, (K, Q, 6): x, y, yaw, front, rear and half width; not a number
        where there is none."""
        return self._objects.outlines(worlds, self._worlds)
