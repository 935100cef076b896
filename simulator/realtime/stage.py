"""The stage: one track, at most one car on it, and the signals of all devices. Steps on its own time, no I/O.

It wraps `simulator.world.world.World`, which is one car on one track: cars come and go, the PWM outputs hold the last
pulse of each car, gates number their edges and buffer the newest, and true events are numbered in order.
"""

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.units import NS_PER_S
from simulator.realtime.protocol import Event, GateEdge, TrueEvent
from simulator.world.optics.wide_lens import WideLens
from simulator.world.tracks import Track
from simulator.world.world import (
    STEPS_PER_S,
    BeamEdge,
    CarBackOnTrack,
    CarLeftTrack,
    FrameDue,
    TrueCrossing,
    World,
    WorldEvent,
)
from vehicle.core.pulses import Pulses
from vehicle.hardware.frame import Pixels

STEPS_PER_TICK = 2
TICKS_PER_S = STEPS_PER_S // STEPS_PER_TICK
TICK_NS = NS_PER_S // TICKS_PER_S
MAX_TRUTHS = 100_000
PIT_GREY = 96
FRAME_SHAPE = (240, 320)


@dataclass(frozen=True, slots=True)
class StageSettings:
    """The settings: floor, light and each car follow from `seed`; `splits` are fractions of the lap.

    `wide_lens`: a fisheye on every car's camera; None: each has the flat lens of its build.
    """

    seed: int = 1
    frame_rate_hz: int = 15
    board: bool = True
    splits: tuple[float, ...] = ()
    edges_kept: int = 1000
    wide_lens: WideLens | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CapturedFrame:
    """A picture that a camera captured, with its time."""

    pixels: Pixels
    at_ns: int


@dataclass(slots=True)
class StageTick:
    """The output of one step: the on-track car's frame, whether pit cameras are due one, true events, edges by beam."""

    shot: CapturedFrame | None = None
    pits_due: bool = False
    truths: list[TrueEvent] = field(default_factory=list)
    edges: list[tuple[str, GateEdge]] = field(default_factory=list)


class Stage:
    """`tick` moves time by 1/120 s; everything else happens between two ticks."""

    def __init__(self, track: Track, settings: StageSettings, start_ns: int = NS_PER_S) -> None:
        self.track = track
        self.settings = settings
        self.car = ""
        self.frames = 0
        self.truths: deque[TrueEvent] = deque(maxlen=MAX_TRUTHS)
        self._appearance = settings.seed
        self._start_ns = start_ns
        self._ticks = 0
        self._world: World | None = None
        self._wires: dict[str, Pulses] = {}
        self._edges: dict[str, deque[GateEdge]] = {
            name: deque(maxlen=settings.edges_kept) for name in ("start", *self._splits())
        }
        self._edge_seq = dict.fromkeys(self._edges, 0)
        self._truth_seq = 0
        self._noise = np.random.default_rng([settings.seed, 0x917])
        self._due = StageTick()

    @property
    def now_ns(self) -> int:
        return self._at_ns(self._ticks)

    @property
    def beams(self) -> list[str]:
        """The names of the beams across the track."""
        return list(self._edges)

    @property
    def world(self) -> World | None:
        """The car on the track and the track under it, if there is one."""
        return self._world

    def place(self, car: str) -> None:
        """Put this car before the start line, replacing any other. Raises Refused for a bad name."""
        checked_device(car)
        self.remove()
        seed = zlib.crc32(f"{self.settings.seed}:{car}".encode())
        world = World(
            self.track,
            seed,
            frame_rate_hz=self.settings.frame_rate_hz,
            start_ns=self.now_ns,
            appearance=self._appearance,
            board=self.settings.board,
            splits=self.settings.splits,
            wide_lens=self.settings.wide_lens,
        )
        world.frame()  # draws the floor now, not at the first frame of the drive
        world.apply(self._wires.get(car))
        self._world, self.car = world, car
        self._record_truth("placed", self.now_ns)

    def remove(self) -> None:
        """Take the car off the track; a beam that it blocked is restored."""
        if self._world is None:
            return
        self._world.place_at_start()
        self._on_events(self._world.step(self.now_ns))
        self._record_truth("removed", self.now_ns)
        self._world, self.car = None, ""

    def put_back(self) -> None:
        """Put the car back as a marshal does after an off-track. Raises Refused when there is no car."""
        if self._world is None:
            raise Refused("There is no car on the track to put back.")
        self._world.put_back()

    def set_appearance(self, number: int) -> None:
        """Change the appearance of floor, light and lines, from the next car on."""
        self._appearance = number

    def wire(self, car: str, pulses: Pulses) -> None:
        """Set the pulses of a car. Like hardware, its outputs hold them until others come."""
        self._wires[car] = pulses
        if car == self.car and self._world is not None:
            self._world.apply(pulses)

    def tick(self) -> StageTick:
        """Move on by one step; return its output."""
        self._ticks += 1
        if self._world is not None:
            self._on_events(self._world.step(self.now_ns))
        rate_hz = self.settings.frame_rate_hz
        self._due.pits_due = self._ticks * rate_hz % TICKS_PER_S < rate_hz
        due, self._due = self._due, StageTick()
        return due

    def pit_shot(self) -> CapturedFrame:
        """A camera's picture in the pits: grey with fresh sensor noise."""
        noise = self._noise.integers(-3, 4, FRAME_SHAPE, dtype=np.int16)
        return CapturedFrame((PIT_GREY + noise).astype(np.uint8), self.now_ns)

    def edges_after(self, beam: str, after: int) -> Iterator[GateEdge]:
        """The buffered edges of a gate with numbers above `after`."""
        oldest = self._edges[beam][0].seq if self._edges[beam] else 1
        for edge in self._edges[beam]:
            if edge.seq > after:
                yield GateEdge(edge.broken, edge.at_ns, edge.seq, oldest)

    def _on_events(self, events: list[WorldEvent]) -> None:
        for event in events:
            if isinstance(event, BeamEdge):
                self._edge(event)
            elif isinstance(event, FrameDue):
                self.frames += 1
                assert self._world is not None
                self._due.shot = CapturedFrame(self._world.frame(), event.at_ns)
            elif isinstance(event, TrueCrossing):
                self._record_truth("crossing", event.at_ns, event.direction, event.gate)
            elif isinstance(event, CarLeftTrack | CarBackOnTrack):
                self._record_truth("off_track" if isinstance(event, CarLeftTrack) else "back_on_track", event.at_ns)

    def _edge(self, event: BeamEdge) -> None:
        buffered = self._edges[event.sensor]
        self._edge_seq[event.sensor] += 1
        seq = self._edge_seq[event.sensor]
        edge = GateEdge(event.broken, event.at_ns, seq, max(1, seq - self.settings.edges_kept + 1))
        buffered.append(edge)
        self._due.edges.append((event.sensor, edge))

    def _record_truth(self, event: Event, at_ns: int, direction: int = 0, gate: str = "") -> None:
        self._truth_seq += 1
        truth = TrueEvent(self._truth_seq, event, self.car, at_ns, direction, gate)
        self.truths.append(truth)
        self._due.truths.append(truth)

    def _splits(self) -> list[str]:
        return [f"split{n}" for n in range(1, len(self.settings.splits) + 1)]

    def _at_ns(self, ticks: int) -> int:
        return self._start_ns + ticks * STEPS_PER_TICK * NS_PER_S // STEPS_PER_S
