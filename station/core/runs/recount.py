"""What a run's crossings would be, had it been known from the start whose each transponder is.

Called by crossing_changes.py when an official names another owner. It goes through the passes in the order in which
they came, by the rules that hold while a run is on: two transponders of a car within the gate's lockout are one
crossing, the least lap, the time limit, the laps allowed. What an official ruled, and what no transponder made, stays.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from shared.units import seconds_to_ns
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run


@dataclass(slots=True)
class TransponderPass:
    """A transponder was read at the line: while these runs were `on`, and as which one's (`run`; "": nobody's).

    Also one that did not count for that run: it came too soon, or was taken for the car's other transponder.
    """

    crossing: f.Crossing
    on: tuple[str, ...]
    source: f.Source = "gate"
    lockout_ns: int = 0
    run: str = ""


@dataclass(slots=True)
class RecountedRun:
    """The run's crossings, those that came too soon, and the last reading of each gate."""

    counted_crossings: list[CountedCrossing] = field(default_factory=list)
    flagged: list[CountedCrossing] = field(default_factory=list)
    read: dict[str, f.Crossing] = field(default_factory=dict)
    last_lap: bool = False  # its last crossing came after the time limit, and the lap in progress counts


Line = list[tuple[CountedCrossing, TransponderPass | None]]


def recounted(
    run: Run,
    passes: Sequence[TransponderPass],
    gone: Collection[int],
    as_counted: Callable[[TransponderPass], CountedCrossing],
) -> RecountedRun:
    """What the run's crossings would be.

    `passes` of its own transponders in order, `gone`: crossings of other owners.
    """
    now = {segment.start.crossing: segment for segment in run.book.segments}
    own = {each.crossing.number for each in passes}
    ruled = [
        segment.start
        for segment in run.book.segments
        if segment.start.crossing not in gone and (segment.approved or segment.start.crossing not in own)
    ]
    stands = {counted.crossing for counted in ruled}
    line: Line = [
        (now[number].start if (number := each.crossing.number) in now else as_counted(each), each)
        for each in passes
        if each.crossing.number not in stands
    ]
    for counted in ruled:
        line.insert(_place(line, counted), (counted, None))
    recount = RecountedRun()
    for counted, each in line:
        if each is None:
            recount.counted_crossings.append(counted)
        elif _may_count(recount, run, counted, each) and (counted.crossing in now or not _beside(ruled, counted, run)):
            _add(recount, run, counted)
    return recount


def _place(line: Line, counted: CountedCrossing) -> int:
    """Where a crossing that stays lies among the passes, by its own stamp."""
    same = [place for place, (other, _) in enumerate(line) if other.boot == counted.boot]
    before = [place for place in same if line[place][0].at_ns < counted.at_ns]
    if before:
        return before[-1] + 1
    if same:
        return same[0]
    numbers = [place for place, (other, _) in enumerate(line) if 0 < other.crossing < counted.crossing]
    return numbers[-1] + 1 if numbers else 0


def _may_count(recount: RecountedRun, run: Run, counted: CountedCrossing, each: TransponderPass) -> bool:
    """It is a crossing; no official took it out; and a run that was abandoned gets none any more."""
    if not _is_read(recount, each) or run.book.was_dropped(counted.crossing):
        return False
    return run.counts or run.book.holds(counted.crossing)


def _is_read(recount: RecountedRun, each: TransponderPass) -> bool:
    """Is it a crossing, and not the same car's other transponder in the same pass?"""
    crossing, last = each.crossing, recount.read.get(each.crossing.gate)
    if (
        last is not None
        and last.boot == crossing.boot
        and last.transponder != crossing.transponder
        and abs(crossing.at_ns - last.at_ns) < each.lockout_ns
    ):
        return False
    recount.read[crossing.gate] = crossing
    return crossing.direction >= 0


def _beside(ruled: Sequence[CountedCrossing], counted: CountedCrossing, run: Run) -> bool:
    """An official has ruled on that pass already, or added it."""
    least_ns = seconds_to_ns(run.rules.min_lap_s)
    return any(other.boot == counted.boot and abs(other.at_ns - counted.at_ns) < least_ns for other in ruled)


def _add(recount: RecountedRun, run: Run, counted: CountedCrossing) -> None:
    """It counts, or was too soon, or nothing counts any more."""
    first, last = (
        (recount.counted_crossings[0], recount.counted_crossings[-1]) if recount.counted_crossings else (None, None)
    )
    if (
        last is not None
        and last.boot == counted.boot
        and counted.at_ns - last.at_ns < seconds_to_ns(run.rules.min_lap_s)
    ):
        if run.signal is None or len(recount.counted_crossings) > 1:  # not one that only drove off over the line
            recount.flagged.append(counted)
        return
    allowed = run.rules.max_laps
    if recount.last_lap or (
        allowed is not None and len(recount.counted_crossings) > allowed + len(run.book.doubts.held)
    ):
        return
    if first is not None and _late(run, first, counted):
        if run.rules.at_time_limit == "stop":
            return
        recount.last_lap = True
    recount.counted_crossings.append(counted)


def _late(run: Run, first: CountedCrossing, counted: CountedCrossing) -> bool:
    """Its time was over, measured from where lap 1 begins now."""
    if run.rules.time_limit_s is None:
        return False
    if e.clock_of(first.boot) == e.clock_of(counted.boot):
        return counted.at_ns > first.at_ns + seconds_to_ns(run.rules.time_limit_s)
    ends_ns = run.ends_ns(counted.boot)
    return ends_ns is not None and counted.at_ns > ends_ns


def restarted_at(run: Run, before: Sequence[CountedCrossing], command: e.Command) -> list[f.Fact]:
    """The facts if lap 1 begins elsewhere now; `before`: the crossings that the run had."""
    first = run.book.segments[0].start if run.book.segments else None
    if first == (before[0] if before else None):
        return []
    if first is None:
        run.proposals.clear()
    if run.on and before:
        run.begin_again(command.moment)
    elif first is None:
        run.never_began()
    elif run.on:
        run.begin(first)
    else:
        run.begun = True
        run.clocks.clear()
        run.start_at(first)
    return [] if first is None else [f.RunStarted(run.run_id, first.crossing, first.at_ns, first.boot, first.utc_ns)]
