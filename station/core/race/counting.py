"""What a crossing means for its run: the race's stage of the engine's pipeline.

Called by engine.py with each crossing that attribution hands on. The first one after the start begins lap 1 (unless
the start signal does), each further one ends a lap; one that comes too soon is flagged, and counts only if an official
decides so. It calls lap_book.py, which holds the run's crossings, time_limit.py and results.py.
"""

from dataclasses import dataclass

from shared.protocol.messages import RunPhase
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.pause import paused_lap
from station.core.race.race import Race
from station.core.race.results import finish, finish_if_full
from station.core.race.starts import SIGNAL_NS, early_ns, false_start
from station.core.race.time_limit import is_late, time_up
from station.core.rulings.hand_timing import yield_to_sensor
from station.core.runs.lap_doubts import weighed
from station.core.runs.laps import CountedCrossing, LapSegment
from station.core.runs.run import Run
from station.core.runs.sectors import SplitCrossing

OTHER_CLOCK_NS = 50_000_000  # the error of comparing two clocks by the time of day


@dataclass(frozen=True, slots=True)
class AssignedCrossing:
    """A crossing that belongs to this run, for the race to count. `why`, `sure_percent`: as in `Attributed`."""

    run: Run
    crossing: f.Crossing
    kind: e.GateKind = "start_finish"
    source: f.Source = "gate"
    why: str = ""
    sure_percent: int = 0


def count_crossing(race: Race, step: AssignedCrossing) -> tuple[list[f.Fact], LapSegment | None]:
    """The facts of a crossing for its run, and the lap segment that it began, if it counts.

    Example: the third crossing of a run gives `Attributed` and `LapCompleted` of lap 2.
    """
    run, crossing, kind, source = step.run, step.crossing, step.kind, step.source
    attributed = attribution_of(crossing, run.phase, run.released, run.run_id, run.car, step.why, step.sure_percent)
    late = run.phase == "running" and run.rules.time_limit_s is not None and is_late(run, crossing)
    if late and run.rules.at_time_limit == "stop":
        utc_ns = race.scale.utc_ns(crossing.boot, crossing.at_ns)
        over = time_up(race, run, utc_ns, crossing.boot)
        return [*over, f.Unattributed(crossing.number, text("it came after the time limit"))], None
    if isinstance(attributed, f.Unattributed):
        early = early_ns(race, run, crossing) if kind != "split" and crossing.direction >= 0 else 0
        return [attributed, *(false_start(run, crossing, early) if early > 0 else [])], None
    if kind == "split":
        run.splits.append(SplitCrossing(crossing.gate, crossing.at_ns, crossing.boot))
        return [attributed], None
    counted = as_counted(race, crossing, source)
    begun: list[f.Fact] = []
    if run.signal is not None:
        begun = rebase(race, run, run.signal, counted)
        if run.book.drove_off(counted):
            why = text("the car drove off over the line: lap 1 had begun")
            return [*begun, f.Unattributed(crossing.number, why)], None
    if run.hand_timed and source != "hand":
        settled = yield_to_sensor(run, counted, race.scale)
        if settled is not None:
            return [attributed, *settled], None
    facts, segment = _count(race, run, counted)
    if late and segment is not None and run.phase == "running":
        facts += finish(
            race, run, "time up", text("time is up, the last lap is done"), True, counted.utc_ns, counted.boot
        )
    return [*begun, attributed, *facts], segment


def attribution_of(
    crossing: f.Crossing,
    phase: RunPhase,
    released: bool,
    run_id: str,
    car: str,
    why: str = "",
    sure_percent: int = 0,
) -> f.Attributed | f.Unattributed:
    """`Attributed` if the run in this phase may have the crossing now, else `Unattributed` with the reason."""
    if crossing.direction < 0:
        return f.Unattributed(crossing.number, text("it went backwards through the gate"))
    if phase not in ("armed", "running"):
        return f.Unattributed(crossing.number, text("no run is on"))
    if phase == "armed" and not released:
        return f.Unattributed(crossing.number, text("the start has not been given"))
    return f.Attributed(crossing.number, run_id, car, why, sure_percent)


def as_counted(race: Race, crossing: f.Crossing, source: f.Source) -> CountedCrossing:
    """The crossing as a counted one, with its time of day."""
    utc_ns = race.scale.utc_ns(crossing.boot, crossing.at_ns)
    return CountedCrossing(crossing.number, crossing.at_ns, crossing.boot, utc_ns, crossing.uncertainty_ns, source)


def _count(race: Race, run: Run, counted: CountedCrossing) -> tuple[list[f.Fact], LapSegment | None]:
    if run.book.too_soon(counted):
        run.book.flagged.append(counted)
        sentence = text(
            "sooner than {min_lap_s:g} s after the last crossing: it ends no lap.", min_lap_s=run.rules.min_lap_s
        )
        return [f.CrossingFlagged(counted.crossing, run.run_id, counted.at_ns, sentence)], None
    was = run.book.doubts.held
    run.book.add(counted)
    segment = run.book.segments[-1]
    if run.phase == "armed":
        run.begin(counted)
        started = f.RunStarted(run.run_id, counted.crossing, counted.at_ns, counted.boot, counted.utc_ns)
        return [started, f.PhaseChanged(run.run_id, "running")], segment
    number = len(run.book.segments) - 1
    done = [f.LapCompleted(run.book.lap(number)), *lap_doubts(race, run, was, number), *paused_lap(run, number)]
    return [*done, *finish_if_full(race, run, counted.utc_ns, counted.boot)], segment


def lap_doubts(race: Race, run: Run, was: frozenset[int], ended: int = 0) -> list[f.Fact]:
    """The facts of doubts about the run's crossings by its own laps, as far as they changed.

    `was`: the crossings in doubt before; `ended`: the lap that a fact has just reported as completed, 0: none.
    """
    settled = not (was or run.proposals) and run.book.doubts.ordinary
    if settled or not run.race.officiating:
        return []
    return weighed(run, was, race.scale, alone=len(race.on_track) < 2, ended=ended)


def rebase(race: Race, run: Run, signal: e.Moment, counted: CountedCrossing) -> list[f.Fact]:
    """Converts the start signal to the clock of the gate that sees the first crossing; returns the fact, if any.

    There is none if lap 1 spans a reboot, so that only the time of day would give its length, or if it is too late.
    """
    at_ns, uncertainty_ns = signal.at_ns, SIGNAL_NS
    if run.rebooted and e.clock_of(signal.boot) != e.clock_of(counted.boot):
        known = race.scale.on_device(signal, counted.boot)
        if known is None:
            return []
        at_ns, uncertainty_ns = known, SIGNAL_NS + OTHER_CLOCK_NS
    elif e.clock_of(signal.boot) != e.clock_of(counted.boot):
        at_ns = race.scale.utc_ns(signal.boot, signal.at_ns) - race.scale.utc_ns(counted.boot, 0)
        uncertainty_ns += OTHER_CLOCK_NS
    if not run.book.rebase(counted, at_ns, uncertainty_ns):
        return []
    run.clocks.setdefault(e.clock_of(counted.boot), at_ns)
    return [f.RunStarted(run.run_id, 0, at_ns, counted.boot, run.started_utc_ns)]
