"""Records what officials report while cars drive: off-tracks, collisions, resets, and hand times at the line.

Called by orders.py. An incident counts in the lap that was on at its time; a hand time is a witness, never a crossing.
"""

from collections.abc import Sequence

from shared.errors import Refused
from shared.rules.wording import INCIDENTS
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.book.counted_laps import IncidentKind
from station.core.runs.hand_marks import HandMark
from station.core.runs.run import Run

MAX_HAND_TIMES = 512  # of one run
IncidentCommand = e.OffTrack | e.Collision | e.CarReset


def count_incident(run: Run, command: IncidentCommand) -> list[f.Fact]:
    """Counts an incident in the lap that it names or that was on at its time; gives the facts. Raises Refused."""
    number = incident_lap(run, command)
    if command.number is not None and not 1 <= number <= len(run.book.segments):
        raise Refused(text("Run {run} has no lap {number}.", run=run.run_id, number=number))
    kind = _KINDS[type(command)]
    if number:
        run.book.count_incident(number, kind, 1)
    facts: list[f.Fact] = [f.Incident(run.run_id, number, kind, command.author)]
    if 1 <= number <= run.book.done:
        facts.append(f.LapAdjusted(run.book.lap(number), command.author, kind))
    return facts


def incident_lap(run: Run, command: IncidentCommand) -> int:
    """The number of the lap in which this incident counts; 0: before lap 1."""
    if command.number is not None:
        return command.number
    return run.book.lap_at(command.moment.boot, command.at_ns)


def take_back(run: Run, command: e.TakeBack) -> list[f.Fact]:
    """Takes back one incident of a lap; gives the facts. Raises Refused if there is none."""
    what, laps = INCIDENTS[command.kind].one, run.book.laps_with(command.kind)
    number = command.number if command.number is not None else max(laps, default=0)
    if number not in laps:
        if command.number is None:
            raise Refused(text("Run {run_id} has no {what} that could be taken back.", run_id=run.run_id, what=what))
        raise Refused(
            text(
                "Lap {number} of run {run_id} has no {what} that could be taken back.",
                number=number,
                run_id=run.run_id,
                what=what,
            )
        )
    run.book.count_incident(
        number,
        command.kind,
        -1,
        text(
            "{what} taken back: {reason}",
            what=what,
            reason=command.reason or text("by {author}", author=command.author),
        ),
    )
    facts: list[f.Fact] = [f.IncidentTakenBack(run.run_id, number, command.kind, command.author, command.reason)]
    if number <= run.book.done:
        facts.append(f.LapAdjusted(run.book.lap(number), command.author, command.reason))
    return facts


def record_hand_time(run: Run, on_track: Sequence[Run], command: e.HandTime) -> list[f.Fact]:
    """Records a hand time, and its distance from the nearest crossing: of the named run, or of any on the track."""
    now = command.moment
    run.hand_times.append(HandMark(now, command.author))
    del run.hand_times[:-MAX_HAND_TIMES]
    runs = on_track if len(on_track) > 1 and not command.run_id else [run]
    offs = [
        (abs(now.at_ns - segment.start.at_ns), now.at_ns - segment.start.at_ns, each.run_id)
        for each in runs
        for segment in each.book.segments
        if e.clock_of(segment.start.boot) == e.clock_of(now.boot)
    ]
    _, off_ns, run_id = min(offs, key=lambda off: off[0], default=(0, None, run.run_id))
    return [f.HandTimeRecorded(run_id, now, command.author, off_ns)]


_KINDS: dict[type[e.Command], IncidentKind] = {
    e.OffTrack: "off_track",
    e.Collision: "collision",
    e.CarReset: "reset",
}
