"""The laps of a run as its trace tells them: where each began, what happened in it, how far the last one came. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.traces.trace import FRAME_RATE_HZ, DriveTrace, EventKind, TraceEvent, frame_ns

FAULTS: tuple[EventKind, ...] = ("off_track", "crashed", "reversed", "immobilized")


@dataclass(frozen=True, slots=True)
class TracedLap:
    """One lap, complete or not: its frames (`last` included), its events after the line, how far it came (0 to 100).

    `began_ns` and `ended_ns` are times of the frames; `stood_ns`: what of them the car stood for penalties.
    """

    number: int
    first: int
    last: int
    began_ns: int
    ended_ns: int
    complete: bool
    progress_percent: float
    events: tuple[TraceEvent, ...]
    stood_ns: int = 0

    @property
    def lap_ns(self) -> int:
        """The time as driven: without penalties, whether they were served or not."""
        return self.ended_ns - self.began_ns - self.stood_ns

    @property
    def penalty_ns(self) -> int:
        """What the lap's faults cost."""
        return sum(event.value_ns for event in self.events if event.kind != "line")

    def count(self, kind: EventKind) -> int:
        """How often this happened in the lap."""
        return sum(event.kind == kind for event in self.events)


def traced_laps(trace: DriveTrace) -> tuple[TracedLap, ...]:
    """The laps of the run in order; what was driven before the line is of the first one."""
    count = len(trace.frames)
    if not count:
        return ()
    lines = [event.at_ns for event in trace.events if event.kind == "line"]
    ends = [at_ns for at_ns in lines[1:] if frame_at_or_after(at_ns) < count]
    run_ns = frame_ns(count - 1)
    laps: list[TracedLap] = []
    first, began_ns = 0, lines[0] if lines else 0
    for number, end_ns in enumerate([*ends, run_ns], 1):
        complete = number <= len(ends)
        last = frame_at_or_after(end_ns) if complete else count - 1
        if first > last:
            break
        floor_ns = 0 if number == 1 else began_ns
        events = tuple(e for e in trace.events if floor_ns <= e.at_ns and (e.at_ns < end_ns or not complete))
        percent = 100.0 if complete else max(progress_percents(trace, laps)[first:], default=0.0)
        served = complete and trace.penalties_served
        stood_ns = sum(event.value_ns for event in events if event.kind in FAULTS) if served else 0
        laps.append(TracedLap(number, first, last, began_ns, end_ns, complete, percent, events, stood_ns))
        first, began_ns = last + 1, end_ns
    return tuple(laps)


def frame_at_or_after(at_ns: int) -> int:
    """The number of the first frame that is not before `at_ns`."""
    number = at_ns * FRAME_RATE_HZ // 1_000_000_000
    while frame_ns(number) < at_ns:
        number += 1
    return number


def progress_percents(trace: DriveTrace, laps: Sequence[TracedLap]) -> list[float]:
    """How much of its lap the car has behind it at each frame: 0 before the line, 100 at the last frame of a lap.

    Just behind the line a car's centre is still before it, which is no 99 per cent: places are followed from frame to
    frame, so that a lap begins at 0.
    """
    length = trace.length_mm
    lap_ends = {lap.last for lap in laps if lap.complete}
    percents: list[float] = []
    travelled = 0
    before: int | None = None
    for number, along in enumerate(trace.frames.along_mm):
        if before is None:
            travelled = along - length if along > length / 2 else along
        else:
            step = (along - before) % length
            travelled += step - length if step > length / 2 else step
        before = along
        percents.append(min(100.0, max(0.0, 100.0 * travelled / length)))
        if number in lap_ends:
            percents[-1] = 100.0
            travelled -= length
    return percents
