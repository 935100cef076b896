"""The files that racers' tools read, made from a trace: the simulator's `simtrace.csv` and evaluation `metrics.json`.

Columns, keys, their order and the spelling of numbers are those of deepracer-simapp (bundle/markov/metrics, Apache-2.0)
as its newer releases write them: X and Y are the middle of the car's front, 0.14 m ahead of the base whose place is in
our traces, and a row has the action that was chosen at the frame before it. Each lap is an episode of the trace and a
trial of the metrics. Its clock runs on while a penalty is served, so times include penalties: the row of the off-track
or the crash has the pause.
"""

import csv
import io
import json
import math

from shared.traces.clock import RaceClock
from shared.traces.laps import FAULTS, TracedLap, frame_at_or_after, progress_percents, traced_laps
from shared.traces.trace import NO_CHOICE, STATUSES, DriveTrace, EventKind, Status, frame_ns

COLUMNS = (
    "episode", "steps", "X", "Y", "yaw", "steer", "throttle", "action", "reward", "done", "all_wheels_on_track",
    "progress", "closest_waypoint", "track_len", "tstamp", "episode_status", "pause_duration",
    "obstacle_crash_counter", "wall_clock",
)  # fmt: skip

LABELS: dict[Status, str] = {
    "prepare": "Prepare",
    "in_progress": "In progress",
    "lap_complete": "Lap complete",
    "off_track": "Off track",
    "crashed": "Crashed",
    "reversed": "Reversed",
    "immobilized": "Immobilized",
    "time_up": "Time Up",
}
FRONT_AHEAD_M = 0.14  # from the car's base to the middle of its front
_NS_PER_S = 1_000_000_000


# Name in the metrics -> what is counted.
_COUNTED: tuple[tuple[str, EventKind], ...] = (
    ("crash", "crashed"),
    ("immobilized", "immobilized"),
    ("off_track", "off_track"),
    ("reversed", "reversed"),
)


def simtrace_csv(trace: DriveTrace, began_utc_ns: int) -> str:
    """The run as a simtrace. `began_utc_ns`, its start by the wall clock, goes into the column `wall_clock`."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    clock, laps = RaceClock(trace), traced_laps(trace)
    percents = progress_percents(trace, laps)
    pauses = _pauses_ns(trace)
    crashes = 0
    for lap in laps:
        for frame in range(lap.first, lap.last + 1):
            status = _status(trace, lap, frame)
            crashes += status == "crashed"
            at_ns = clock.ns(frame_ns(frame))
            writer.writerow(
                (
                    lap.number - 1,
                    frame - lap.first + 1,
                    *_pose_and_action(trace, frame),
                    "0.0000",
                    lap.complete and frame == lap.last,
                    trace.frames.wheels[frame] == 4,
                    f"{percents[frame]:.4f}",
                    trace.frames.waypoint[frame],
                    f"{trace.length_mm / 1000:.2f}",
                    round(at_ns / _NS_PER_S, 3),
                    status,
                    f"{pauses.get(frame, 0) / _NS_PER_S:.2f}",
                    crashes,
                    round((began_utc_ns + at_ns) / _NS_PER_S, 6),
                )
            )
    return written.getvalue()


def metrics_json(trace: DriveTrace) -> str:
    """The evaluation's metrics: a trial for each complete lap; for the first lap also if it was never completed."""
    clock = RaceClock(trace)
    trials = [_trial(trace, clock, lap) for lap in traced_laps(trace) if lap.complete or lap.number == 1]
    return json.dumps({"metrics": trials})


def _trial(trace: DriveTrace, clock: RaceClock, lap: TracedLap) -> dict[str, int | str]:
    began_ms, ended_ms = (round(clock.ns(at_ns) / 1_000_000) for at_ns in (lap.began_ns, lap.ended_ns))
    counts = {f"{name}_count": lap.count(kind) for name, kind in _COUNTED}
    return {
        "completion_percentage": int(lap.progress_percent),
        "metric_time": ended_ms,
        "start_time": began_ms,
        "elapsed_time_in_milliseconds": ended_ms - began_ms,
        "episode_status": LABELS[_status(trace, lap, lap.last)],
        **counts,
        "reset_count": sum(counts.values()),
        "trial": lap.number if lap.complete else 0,
    }


def _status(trace: DriveTrace, lap: TracedLap, frame: int) -> Status:
    if frame == lap.first:
        return "prepare"
    if lap.complete and frame == lap.last:
        return "lap_complete"
    return STATUSES[trace.frames.status[frame]]


def _pose_and_action(trace: DriveTrace, frame: int) -> tuple[str | int, ...]:
    frames = trace.frames
    chosen = max(0, frame - 1)
    steer_deg, speed_mps = frames.steer_mdeg[chosen] / 1000, frames.speed_mm_s[chosen] / 1000
    action, yaw_deg = frames.action[chosen], frames.yaw_mdeg[frame] / 1000
    yaw = math.radians(yaw_deg)
    return (
        f"{frames.x_tenths_mm[frame] / 10_000 + FRONT_AHEAD_M * math.cos(yaw):.4f}",
        f"{frames.y_tenths_mm[frame] / 10_000 + FRONT_AHEAD_M * math.sin(yaw):.4f}",
        f"{yaw_deg:.4f}",
        f"{steer_deg:.2f}",
        f"{speed_mps:.2f}",
        f"[{steer_deg}, {speed_mps}]" if action == NO_CHOICE else action,
    )


def _pauses_ns(trace: DriveTrace) -> dict[int, int]:
    """The penalty that begins at a frame: the first one that shows the fault."""
    pauses: dict[int, int] = {}
    for event in trace.events:
        if event.kind in FAULTS:
            frame = frame_at_or_after(event.at_ns)
            pauses[frame] = pauses.get(frame, 0) + event.value_ns
    return pauses
