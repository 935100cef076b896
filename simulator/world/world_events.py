"""The mock world's events, each with its time in integer nanoseconds of the world's clock."""

from dataclasses import dataclass

FORWARD, REVERSE = 1, -1


@dataclass(frozen=True, slots=True)
class BeamEdge:
    """The beam of one gate changed: broken by the front of the car, restored when its rear is clear."""

    sensor: str
    broken: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """The ground truth, not a sensor: the leading end of the car crossed a gate's line, FORWARD or REVERSE."""

    at_ns: int
    direction: int
    gate: str = "start"


@dataclass(frozen=True, slots=True)
class FrameDue:
    """The camera exposes a frame at this instant."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class CarLeftTrack:
    """The last wheel of the car left the road."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class CarBackOnTrack:
    """A wheel is on the road again, or the car was put back."""

    at_ns: int


WorldEvent = BeamEdge | TrueCrossing | FrameDue | CarLeftTrack | CarBackOnTrack
