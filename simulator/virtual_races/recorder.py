"""Writes down each frame of runs in lock-step as integers, for their traces (shared/traces/trace.py)."""

import math

import numpy as np
from numpy.typing import NDArray

from shared.conditions import Conditions
from shared.traces.trace import STATUSES, DriveTrace, OtherCar, Status, TraceBox, TraceEvent, TraceFrames
from simulator.batch.track_objects import BOT, RIVAL
from simulator.batch.vector import BatchWorlds
from simulator.objects.outlines import BOX_OUTLINE
from simulator.objects.placing import PlacedObject
from simulator.virtual_races.entrant import Chosen
from simulator.world.geometry import Track

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class FrameRecorder:
    """The rows of all runs. `look` takes the cars' places before anybody is put back, `write` adds what was chosen."""

    def __init__(self, worlds: BatchWorlds, track: Track) -> None:
        self._worlds, self._track = worlds, track
        self._rows: list[list[Integers]] = [[] for _ in range(len(worlds))]
        kinds = worlds.objects["kind"]
        self._others = [np.flatnonzero((kinds[n] == BOT) | (kinds[n] == RIVAL)) for n in range(len(worlds))]
        self._other_rows: list[list[Integers]] = [[] for _ in range(len(worlds))]
        s_m = track.s_m
        self._half_m = np.diff(np.append(s_m, track.length_m)) / 2
        self.look()

    def look(self) -> None:
        """Take the places of this frame."""
        self._seen = self._places()
        self._others_seen = [self._other_places(run) for run in range(len(self._rows))]

    def along_m(self, run: int) -> float:
        """Where the run's car was along the track in this frame."""
        return float(self._seen[run][7]) / 1000

    def write(self, run: int, chosen: Chosen, status: Status) -> None:
        """Add this frame of one run."""
        row = self._seen[run]
        row[3:6] = chosen[0], round(chosen[1] * 1000), round(chosen[2] * 1000)
        row[10] = STATUSES.index(status)
        self._rows[run].append(row)
        self._other_rows[run].append(self._others_seen[run])

    def trace(self, run: int, conditions: Conditions, events: list[TraceEvent], served: bool = False) -> DriveTrace:
        """The trace of one run, from what was written; `served`: the car stood for its penalties in these frames."""
        table = np.array(self._rows[run], np.int64).reshape(-1, 11)
        frames = TraceFrames(*(tuple(column) for column in table.T.tolist()))
        ordered = tuple(sorted(events, key=lambda event: event.at_ns))
        length_mm = round(self._track.length_m * 1000)
        boxes = tuple(_box(box) for box in self._worlds.specs[run].boxes)
        cars = np.array(self._other_rows[run], np.int64).reshape(len(table), -1, 3)
        others = tuple(OtherCar(*(tuple(column) for column in car.T.tolist())) for car in cars.swapaxes(0, 1))
        return DriveTrace(conditions.track, conditions.direction, length_mm, frames, ordered, boxes, others, served)

    def _places(self) -> Integers:
        """One row a world: the columns of TraceFrames, those of the action and the status still empty."""
        worlds = self._worlds
        pose, segment, s_m = worlds.pose, worlds.segment, worlds.s_m
        beyond = s_m - self._track.s_m[segment] > self._half_m[segment]
        rows = np.zeros((len(worlds), 11))
        rows[:, 0:3] = _in_trace_units(pose)
        rows[:, 6] = (segment + beyond) % len(self._track.s_m)
        rows[:, 7] = s_m * 1000
        rows[:, 8] = worlds.lateral_m * 1000
        rows[:, 9] = worlds.wheels_on_road
        return np.rint(rows).astype(np.int64)

    def _other_places(self, run: int) -> Integers:
        """One row for each bot, and for the rival, of a run: place and heading in the units of the trace."""
        which = self._others[run]
        rows = self._worlds.objects[run][which]
        poses = np.stack([rows["to_x"], rows["to_y"], rows["to_yaw"]], axis=-1)
        rival = self._worlds.specs[run].rival
        if rival is not None:  # where it is, not where it was taken to go
            poses[-1] = self._worlds.pose[rival]
        return np.rint(_in_trace_units(poses)).astype(np.int64)


def _in_trace_units(poses: Floats) -> Floats:
    """x, y, yaw (m, rad) in tenths of a millimetre and thousandths of a degree, -180 to 180."""
    turned = np.degrees(np.remainder(poses[:, 2] + math.pi, math.tau) - math.pi) * 1000
    return np.stack([poses[:, 0] * 10_000, poses[:, 1] * 10_000, turned], axis=-1)


def _box(box: PlacedObject) -> TraceBox:
    length_mm, width_mm = (
        round((BOX_OUTLINE.front_m - BOX_OUTLINE.rear_m) * 1000),
        round(BOX_OUTLINE.half_width_m * 2000),
    )
    yaw_mdeg = round(math.degrees(math.remainder(box.pose.yaw, math.tau)) * 1000)
    return TraceBox(round(box.pose.x * 10_000), round(box.pose.y * 10_000), yaw_mdeg, length_mm, width_mm)
