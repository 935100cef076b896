"""Traces drawn by hand, whose times and faults are known: on a round track of 10 m, or along a real one."""

import math

from shared.traces.trace import FRAME_RATE_HZ, NO_CHOICE, STATUSES, DriveTrace, EventKind, TraceEvent, TraceFrames
from shared.tracks.outline import TrackOutline

LENGTH_MM = 10_000
NS = 1_000_000_000


def driven_on(outline: TrackOutline, laps: int = 2, speed_mps: float = 2.0, off_at_s: float = 0.0) -> DriveTrace:
    """A car that follows the middle of a track from its start line; off the road once, where that is asked for."""
    per_lap_s = outline.length_m / speed_mps
    count = math.ceil(laps * per_lap_s * FRAME_RATE_HZ) + 1
    shares = [n / FRAME_RATE_HZ / per_lap_s for n in range(count)]
    points = [outline.point_at(share) for share in shares]
    along = tuple(round(share % 1 * outline.length_m * 1000) for share in shares)
    status = [STATUSES.index("in_progress")] * count
    lap_ns = round(per_lap_s * NS)
    events = [TraceEvent(lap * lap_ns, "line", lap_ns if lap else 0) for lap in range(laps + 1)]
    if off_at_s:
        status[math.ceil(off_at_s * FRAME_RATE_HZ)] = STATUSES.index("off_track")
        events.append(TraceEvent(round(off_at_s * NS), "off_track", 2 * NS))
    frames = TraceFrames(
        x_tenths_mm=tuple(round(x * 10_000) for x, _ in points),
        y_tenths_mm=tuple(round(y * 10_000) for _, y in points),
        along_mm=along,
        status=tuple(status),
        **dict.fromkeys(("yaw_mdeg", "action", "steer_mdeg", "waypoint", "lateral_mm"), (0,) * count),
        speed_mm_s=(round(speed_mps * 1000),) * count,
        wheels=(4,) * count,
    )
    ordered = tuple(sorted(events, key=lambda event: event.at_ns))
    return DriveTrace(outline.name, "counterclockwise", round(outline.length_m * 1000), frames, ordered)


def round_trip(
    laps: int = 2,
    extra_s: float = 1.0,
    faults: tuple[tuple[float, EventKind, float], ...] = (),
    continuous: bool = False,
) -> DriveTrace:
    """A car at 2 m/s that starts 1 m before the line: 5 s a lap; `extra_s` of another lap at the end.

    `faults` are (time in s, kind, penalty in s).
    """
    seconds = 0.5 + 5.0 * laps + extra_s
    count = math.floor(seconds * FRAME_RATE_HZ) + 1
    radius_mm = LENGTH_MM / math.tau
    along = [(n * 2000 / FRAME_RATE_HZ - 1000) % LENGTH_MM for n in range(count)]
    angle = [place / radius_mm for place in along]
    status = [STATUSES.index("in_progress")] * count
    for at_s, kind, _ in faults:
        assert kind in STATUSES
        status[math.ceil(at_s * FRAME_RATE_HZ)] = STATUSES.index(kind)
    frames = TraceFrames(
        x_tenths_mm=tuple(round(radius_mm * 10 * math.cos(a)) for a in angle),
        y_tenths_mm=tuple(round(radius_mm * 10 * math.sin(a)) for a in angle),
        yaw_mdeg=tuple(round((math.degrees(a) + 270) % 360 * 1000) - 180_000 for a in angle),
        action=(NO_CHOICE if continuous else 3,) * count,
        steer_mdeg=(12_345,) * count,
        speed_mm_s=(2000,) * count,
        waypoint=tuple(int(place // 100) for place in along),
        along_mm=tuple(round(place) for place in along),
        lateral_mm=(-7,) * count,
        wheels=(4,) * count,
        status=tuple(status),
    )
    events = [TraceEvent(NS // 2 + lap * 5 * NS, "line", 5 * NS if lap else 0) for lap in range(laps + 1)]
    events += [TraceEvent(round(at_s * NS), kind, round(penalty_s * NS)) for at_s, kind, penalty_s in faults]
    return DriveTrace("round", "counterclockwise", LENGTH_MM, frames, tuple(sorted(events, key=lambda e: e.at_ns)))
