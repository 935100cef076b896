"""The trace of one run: where the car was at each frame, what its model asked for, and what happened. Pure data.

All figures are integers, so that the same run has the same bytes on every machine. Written and read by encoding.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, get_args

Status = Literal["prepare", "in_progress", "lap_complete", "off_track", "crashed", "reversed", "immobilized", "time_up"]
EventKind = Literal["line", "off_track", "crashed", "reversed", "immobilized", "put_back", "time_up"]
Direction = Literal["counterclockwise", "clockwise"]

STATUSES: tuple[Status, ...] = get_args(Status)
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
FRAME_RATE_HZ = 15
NO_CHOICE = -1  # the action of a model with a continuous action space

Column = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TraceFrames:
    """One value a frame in each column; all columns have the same length.

    `x`, `y` in tenths of a millimetre and `yaw` in thousandths of a degree (0 = +x, counter-clockwise), of the car's
    reference point. `action` is the row of the action space, or NO_CHOICE; `steer` (+ is left) in thousandths of a
    degree and `speed` in mm/s are what the model asked for. `waypoint` is the nearest row of the track, `along` the
    place on the centre line from the start line and `lateral` to its left, both in mm. `wheels` are those on the road,
    `status` an index of STATUSES.
    """

    x_tenths_mm: Column = ()
    y_tenths_mm: Column = ()
    yaw_mdeg: Column = ()
    action: Column = ()
    steer_mdeg: Column = ()
    speed_mm_s: Column = ()
    waypoint: Column = ()
    along_mm: Column = ()
    lateral_mm: Column = ()
    wheels: Column = ()
    status: Column = ()

    def __len__(self) -> int:
        return len(self.x_tenths_mm)

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Name and values of each column, in the order in which they are written."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """What happened at `at_ns` after the start of the run.

    `value_ns`: of a `line`, the time of the lap that it ends (0: it begins the first one); of an off-track, a crash and
    the like, the penalty that counts for it.
    """

    at_ns: int
    kind: EventKind
    value_ns: int = 0


@dataclass(frozen=True, slots=True)
class TraceBox:
    """An object on the track: its centre, its heading and its size."""

    x_tenths_mm: int
    y_tenths_mm: int
    yaw_mdeg: int
    length_mm: int
    width_mm: int


@dataclass(frozen=True, slots=True)
class OtherCar:
    """Another car in the same run (a bot, or the other one of two), one value a frame, in the units of TraceFrames."""

    x_tenths_mm: Column
    y_tenths_mm: Column
    yaw_mdeg: Column


@dataclass(frozen=True, slots=True)
class DriveTrace:
    """One run on one track. Frame n is at n / FRAME_RATE_HZ seconds after the start.

    `penalties_served`: the car stood for its penalties while time went on, so that they are in the frames; else they
    are no frames, and the race's clock has them besides (RaceClock).
    """

    track: str
    direction: Direction
    length_mm: int
    frames: TraceFrames
    events: tuple[TraceEvent, ...] = ()
    boxes: tuple[TraceBox, ...] = ()
    others: tuple[OtherCar, ...] = ()
    penalties_served: bool = False

    @property
    def laps_ns(self) -> tuple[int, ...]:
        """The times of the laps that were completed, as driven: without penalties."""
        return tuple(event.value_ns for event in self.events if event.kind == "line" and event.value_ns)


def frame_ns(number: int) -> int:
    """When frame `number` was exposed, after the start of the run."""
    return number * 1_000_000_000 // FRAME_RATE_HZ
