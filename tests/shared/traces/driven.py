"""A trace drawn by hand: a car on a round track of 10 m, whose times and faults are known exactly."""

import math

from shared.traces.trace import FRAME_RATE_HZ, NO_CHOICE, STATUSES, DriveTrace, EventKind, TraceEvent, TraceFrames

LENGTH_MM = 10_000
NS = 1_000_000_000


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
