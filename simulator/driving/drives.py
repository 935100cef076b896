"""One drive of a model: what it was, and how laps and off-tracks are counted from the world's events."""

import random
from dataclasses import dataclass

from shared.units import NS_PER_S
from simulator.world.geometry import Track
from simulator.world.world_events import FORWARD, CarLeftTrack, TrueCrossing, WorldEvent

FRAME_RATE_HZ = 15
MIN_LATENCY_NS, MAX_LATENCY_NS = 20_000_000, 60_000_000
MAX_OFF_TRACKS = 12
SLOWEST_MPS = 0.5


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


def latency_ns_of(seed: int) -> int:
    """From frame to pulse, in the drive of this seed."""
    return random.Random(f"latency-{seed}").randint(MIN_LATENCY_NS, MAX_LATENCY_NS)


def most_frames(track: Track, laps: int) -> int:
    """After as many frames a drive ends, however few laps are done."""
    return round((laps + 1) * track.length_m / SLOWEST_MPS * FRAME_RATE_HZ)


class LapCounter:
    """Counts laps and off-tracks from the world's events."""

    def __init__(self, laps: int) -> None:
        self.laps_s: list[float] = []
        self.off_tracks = 0
        self.wanted = laps
        self._last_ns: int | None = None

    @property
    def done(self) -> bool:
        """True if all laps are driven, or the car left the road too often."""
        return len(self.laps_s) >= self.wanted or self.off_tracks >= MAX_OFF_TRACKS

    def on_event(self, event: WorldEvent) -> None:
        """Take one event of a `World`."""
        if isinstance(event, CarLeftTrack):
            self.left_track()
        elif isinstance(event, TrueCrossing) and event.gate == "start" and event.direction == FORWARD:
            self.crossed(event.at_ns)

    def left_track(self) -> None:
        """The car left the road."""
        if not self.done:
            self.off_tracks += 1

    def crossed(self, at_ns: int) -> None:
        """The car crossed the start line forwards."""
        if self.done:
            return
        if self._last_ns is not None:
            self.laps_s.append((at_ns - self._last_ns) / NS_PER_S)
        self._last_ns = at_ns

    def drive(self, points: list[tuple[float, float]]) -> Drive:
        """The drive so far, along these points."""
        return Drive(tuple(self.laps_s), self.off_tracks, self.wanted, tuple(points))
