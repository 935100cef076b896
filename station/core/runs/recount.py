"""Works out what a run's crossings would be if the owner of each transponder had been known from the start.

Called by crossing_changes.py when an official names another owner. It goes through the passes in their order of
arrival, by the rules that hold while a run is on: two transponders of a car within the gate's lockout are one crossing;
the shortest lap, the time limit and the number of laps apply. Crossings that an official ruled on, or that no
transponder made, stay.
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
    """A transponder's pass at the line while these runs were `on`, and the id of its `run` ("": none).

    Includes passes that did not count for that run: too soon, or taken for a repeat by the car's other transponder.
    """

    crossing: f.Crossing
    on: tuple[str, ...]
    source: f.Source = "gate"
    lockout_ns: int = 0
    run: str = ""


@dataclass(slots=True)
class RecountedRun:
    """The run's crossings, those that came too soon (`flagged`), and the last reading (`read`) of each gate."""

    counted_crossings: list[CountedCrossing] = field(default_factory=list)
    flagged: list[CountedCrossing] = field(default_factory=list)
    read: dict[str, f.Crossing] = field(default_factory=dict)
    last_lap: bool = False  # True if its last crossing came after the time limit and the lap in progress counts


Line = list[tuple[CountedCrossing, TransponderPass | None]]


def recounted(
    run: Run,
    passes: Sequence[TransponderPass],
    gone: Collection[int],
    as_counted: Callable[[TransponderPass], CountedCrossing],
) -> RecountedRun:
    """The crossings that the run would have.

    `passes`: of its own transponders, in order. `gone`: numbers of crossings of other owners.
    """
    counted_now = {segment.start.crossing: segment for segment in run.book.segments}
    own = {each.crossing.number for each in passes}
    ruled = [
        segment.start
        for segment in run.book.segments
        if segment.start.crossing not in gone and (segment.approved or segment.start.crossing not in own)
    ]
    ruled_numbers = {counted.crossing for counted in ruled}
    line: Line = [
        (counted_now[number].start if (number := each.crossing.number) in counted_now else as_counted(each), each)
        for each in passes
        if each.crossing.number not in ruled_numbers
    ]
    for counted in ruled:
        line.insert(_place(line, counted), (counted, None))
    recount = RecountedRun()
    for counted, each in line:
        if each is None:
            recount.counted_crossings.append(counted)
        elif _may_count(recount, run, counted, each) and (
            counted.crossing in counted_now or not _beside(ruled, counted, run)
        ):
            _add(recount, run, counted)
    return recount


def _place(line: Line, counted: CountedCrossing) -> int:
    """The index in `line` at which a crossing that stays belongs, by its own stamp."""
    same = [place for place, (other, _) in enumerate(line) if other.boot == counted.boot]
    before = [place for place in same if line[place][0].at_ns < counted.at_ns]
    if before:
        return before[-1] + 1
    if same:
        return same[0]
    numbers = [place for place, (other, _) in enumerate(line) if 0 < other.crossing < counted.crossing]
    return numbers[-1] + 1 if numbers else 0


def _may_count(recount: RecountedRun, run: Run, counted: CountedCrossing, each: TransponderPass) -> bool:
    """Whether the pass is a crossing that no official dropped; an abandoned run gets no new ones."""
    if not _is_read(recount, each) or run.book.was_dropped(counted.crossing):
        return False
    return run.counts or run.book.holds(counted.crossing)


def _is_read(recount: RecountedRun, each: TransponderPass) -> bool:
    """Whether the pass is a crossing, and not the same car's other transponder in the same pass; remembers it."""
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
    """Whether an official has already ruled on that pass, or added a crossing for it."""
    min_lap_ns = seconds_to_ns(run.rules.min_lap_s)
    return any(other.boot == counted.boot and abs(other.at_ns - counted.at_ns) < min_lap_ns for other in ruled)


def _add(recount: RecountedRun, run: Run, counted: CountedCrossing) -> None:
    """Adds a crossing as counted, or as flagged if it came too soon; not at all when the run was over."""
    first, last = (
        (recount.counted_crossings[0], recount.counted_crossings[-1]) if recount.counted_crossings else (None, None)
    )
    if (
        last is not None
        and last.boot == counted.boot
        and counted.at_ns - last.at_ns < seconds_to_ns(run.rules.min_lap_s)
    ):
        if run.signal is None or len(recount.counted_crossings) > 1:  # not a car that only drove off over the line
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
    """Whether the crossing came after the time limit, measured from where lap 1 begins now."""
    if run.rules.time_limit_s is None or run.paused is not None:
        return False
    if e.clock_of(first.boot) == e.clock_of(counted.boot):
        return counted.at_ns > first.at_ns + seconds_to_ns(run.rules.time_limit_s) + run.paused_ns()
    ends_ns = run.ends_ns(counted.boot)
    return ends_ns is not None and counted.at_ns > ends_ns


def restarted_at(run: Run, before: Sequence[CountedCrossing], command: e.Command) -> list[f.Fact]:
    """Updates the run if lap 1 has another beginning now; returns the facts. `before`: the crossings that it had."""
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
