"""One lap of a trace (or all of the run) as a ghost: where it is when, how fast, its sectors and its faults. Pure."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.traces.clock import RaceClock
from shared.traces.laps import FAULTS, TracedLap, frame_at_or_after, progress_percents, traced_laps
from shared.traces.trace import FRAME_RATE_HZ, DriveTrace, EventKind, frame_ns
from shared.tracks.drawing import spots_on
from shared.tracks.outline import TrackOutline

SECTORS = 3
NS_PER_MS = 1_000_000
PPM = 1_000_000
WHOLE_RUN = 0  # instead of the number of a lap


@dataclass(frozen=True, slots=True)
class GhostFault:
    """Where on the drawing the car left the road, crashed or stuck; when, as the race's clock runs, and the penalty."""

    kind: EventKind
    x: int
    y: int
    at_ms: int
    penalty_ms: int


@dataclass(frozen=True, slots=True)
class GhostCompanion:
    """A bot, or the other car of a race of two: its place on the drawing at each frame of the ghost."""

    x: tuple[int, ...]
    y: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ghost:
    """A stretch of a run. One value a frame: time in ms of the race's clock since it began, place on the drawing,
    speed in mm/s, and millionths of the way (of the lap; of a whole run so many for each lap).

    `jumps` are frames at which the car had just been put back. `parts_ms`: the sectors of a complete
    lap, or the laps of a whole run.
    `lap_ms` with penalties; None of a lap that was not completed.
    """

    lap: int
    times_ms: tuple[int, ...]
    x: tuple[int, ...]
    y: tuple[int, ...]
    speeds_mm_s: tuple[int, ...]
    progress: tuple[int, ...]
    jumps: tuple[int, ...]
    faults: tuple[GhostFault, ...]
    parts_ms: tuple[int, ...]
    lap_ms: int | None
    companions: tuple[GhostCompanion, ...] = ()


def best_lap(trace: DriveTrace) -> int:
    """The number of the fastest complete lap, penalties included; of the first lap if none is complete."""
    complete = [lap for lap in traced_laps(trace) if lap.complete]
    return min(complete, key=lambda lap: (lap.lap_ns + lap.penalty_ns, lap.number)).number if complete else 1


def lap_numbers(trace: DriveTrace) -> tuple[int, ...]:
    """The laps that can be chosen."""
    return tuple(lap.number for lap in traced_laps(trace))


def make_ghost(trace: DriveTrace, outline: TrackOutline, lap: int) -> Ghost:
    """The ghost of one lap, or of the whole run. A lap that the trace does not have is its best one."""
    laps = traced_laps(trace)
    one = next((each for each in laps if each.number == lap), None)
    if one is None and lap != WHOLE_RUN and laps:
        return make_ghost(trace, outline, best_lap(trace))
    clock, began_ns = RaceClock(trace), one.began_ns if one else 0
    first = max(one.first, min(frame_at_or_after(began_ns), one.last)) if one else 0
    last = one.last if one else len(trace.frames) - 1
    ended_ns = one.ended_ns if one and one.complete else frame_ns(max(last, 0))
    frames = range(first, last + 1)
    points = [(trace.frames.x_tenths_mm[n] / 10_000, trace.frames.y_tenths_mm[n] / 10_000) for n in frames]
    jumps = _jumps(trace, first, last)
    spots = spots_on(outline, points)
    times_ms = tuple(round((clock.ns(min(frame_ns(n), ended_ns)) - clock.ns(began_ns)) / NS_PER_MS) for n in frames)
    progress = _progress(trace, laps, one, frames)
    complete = one is not None and one.complete
    return Ghost(
        lap=one.number if one else WHOLE_RUN,
        times_ms=times_ms,
        x=tuple(x for x, _ in spots),
        y=tuple(y for _, y in spots),
        speeds_mm_s=_speeds(points, jumps),
        progress=progress,
        jumps=jumps,
        faults=_faults(trace, outline, began_ns, ended_ns if complete else None),
        parts_ms=_parts_ms(laps, one, times_ms, progress),
        lap_ms=(one.lap_ns + one.penalty_ns) // NS_PER_MS if one and complete else None,
        companions=_companions(trace, outline, frames),
    )


def _companions(trace: DriveTrace, outline: TrackOutline, frames: range) -> tuple[GhostCompanion, ...]:
    found: list[GhostCompanion] = []
    for other in trace.others:
        metres = [(other.x_tenths_mm[n] / 10_000, other.y_tenths_mm[n] / 10_000) for n in frames]
        spots = spots_on(outline, metres)
        found.append(GhostCompanion(tuple(x for x, _ in spots), tuple(y for _, y in spots)))
    return tuple(found)


def _jumps(trace: DriveTrace, first: int, last: int) -> tuple[int, ...]:
    """The frames after a car was put back, counted from `first`."""
    after = (frame_at_or_after(event.at_ns) + 1 for event in trace.events if event.kind == "put_back")
    return tuple(n - first for n in after if first < n <= last)


def _speeds(points: Sequence[tuple[float, float]], jumps: Sequence[int]) -> tuple[int, ...]:
    """From frame to frame; just put back, a car stands."""
    if not points:
        return ()
    steps = [math.dist(a, b) * FRAME_RATE_HZ * 1000 for a, b in itertools.pairwise(points)]
    for jump in jumps:
        steps[jump - 1] = 0.0
    return (round(steps[0]) if steps else 0, *(round(step) for step in steps))


def _progress(trace: DriveTrace, laps: Sequence[TracedLap], one: TracedLap | None, frames: range) -> tuple[int, ...]:
    percents = progress_percents(trace, laps)
    if one is not None:
        return tuple(round(percents[n] * 10_000) for n in frames)
    behind = {n: lap.number - 1 for lap in laps for n in range(lap.first, lap.last + 1)}
    return tuple(round(percents[n] * 10_000) + PPM * behind.get(n, 0) for n in frames)


def _faults(trace: DriveTrace, outline: TrackOutline, began_ns: int, ended_ns: int | None) -> tuple[GhostFault, ...]:
    clock, count = RaceClock(trace), len(trace.frames)
    faults: list[GhostFault] = []
    for event in trace.events:
        frame = frame_at_or_after(event.at_ns)
        within = began_ns <= event.at_ns and (ended_ns is None or event.at_ns < ended_ns)
        if event.kind not in FAULTS or not within or frame >= count:
            continue
        metres = (trace.frames.x_tenths_mm[frame] / 10_000, trace.frames.y_tenths_mm[frame] / 10_000)
        ((x, y),) = spots_on(outline, [metres])
        at_ms = round((clock.ns(event.at_ns) - clock.ns(began_ns)) / NS_PER_MS)
        faults.append(GhostFault(event.kind, x, y, at_ms, event.value_ns // NS_PER_MS))
    return tuple(faults)


def _parts_ms(
    laps: Sequence[TracedLap], one: TracedLap | None, times_ms: Sequence[int], progress: Sequence[int]
) -> tuple[int, ...]:
    if one is None:
        return tuple((lap.lap_ns + lap.penalty_ns) // NS_PER_MS for lap in laps if lap.complete)
    return _sectors(times_ms, progress, times_ms[-1]) if one.complete else ()


def _sectors(times_ms: Sequence[int], progress: Sequence[int], end_ms: int) -> tuple[int, ...]:
    """The times of equal thirds of the lap: when the way to their ends was first behind the car."""
    passed = [0]
    for number in range(1, SECTORS):
        goal = PPM * number / SECTORS
        at = next((n for n, value in enumerate(progress) if value >= goal), len(progress) - 1)
        passed.append(_between(times_ms, progress, at, goal))
    passed.append(end_ms)
    return tuple(after - before for before, after in itertools.pairwise(passed))


def _between(times_ms: Sequence[int], progress: Sequence[int], at: int, goal: float) -> int:
    if at == 0 or progress[at] == progress[at - 1]:
        return times_ms[at]
    part = (goal - progress[at - 1]) / (progress[at] - progress[at - 1])
    return round(times_ms[at - 1] + min(1.0, max(0.0, part)) * (times_ms[at] - times_ms[at - 1]))
