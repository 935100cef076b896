"""Puts the page of one run together: its laps and rulings, and what every witness saw, on one time base.

Called by station.py, in three steps: `begin_page` on the timing thread, which owns the engine, then the journal is read
on the caller's thread (trace_reader.py), then `finish_page` on the timing thread again, which knows all clocks.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from shared.rules.ranking import RaceRules
from station.core.engine import Engine
from station.core.facts import Lap
from station.core.race.race import Race
from station.core.runs.hand_marks import on_gate
from station.core.runs.run import Run
from station.service.archive.run_index import RunIndex
from station.service.archive.trace_reader import StoredEdge, StoredReport, StoredStamp, StoredTrace, TracedRecords
from station.views.projection import is_open_proposal, standing_place
from station.views.runs.run_archive import CrossingView, RulingRecord, RunPage, RunSummary
from station.views.runs.run_trace import (
    BeamLane,
    BeamPulse,
    CrossingState,
    RunTrace,
    TracedCrossing,
    TracedHandTime,
    TracedReport,
)

RECORDS_AFTER = 16  # records read after the end of a run: its last beam is freed after it
MIN_MARGIN_MS = 1_000.0  # shown before the first stamp and after the last, or this part of the span if it is more
MARGIN = 0.025
ToMs = Callable[[StoredStamp], float]
_LAPS = TypeAdapter(tuple[Lap, ...])


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What is known of a run before the journal is read: its line, and the records to read."""

    summary: RunSummary
    records: TracedRecords


def begin_page(engine: Engine, index: RunIndex, run_id: str) -> PageRequest | None:
    """The run's line, and the records that its trace lies in; None if there is no such run."""
    summary, indexed = index.summary(engine, run_id), index.runs.get(run_id)
    if summary is None or indexed is None:
        return None
    last = indexed.ended + RECORDS_AFTER if indexed.ended else 2**62
    later = tuple(indexed.later) if summary.evicted else ()
    return PageRequest(summary, TracedRecords(run_id, indexed.opened, last, indexed.ended, later))


def finish_page(engine: Engine, index: RunIndex, request: PageRequest, stored: StoredTrace) -> RunPage:
    """The whole page, as the engine knows the run now."""
    summary = index.summary(engine, request.summary.run_id) or request.summary
    race = engine.races[summary.race_id]
    run = race.runs.get(summary.run_id)
    rulings = index.rulings(summary.run_id, summary.race_id)
    if run is None:
        return _evicted_page(engine, race, summary, rulings, stored)
    score = run.score
    model, model_sha256 = run.posted_model
    return RunPage(
        summary=summary,
        rules=run.rules,
        laps=run.book.laps(),
        crossings=_crossings(engine, run),
        proposals=tuple(proposal for proposal in run.proposals if is_open_proposal(proposal, run)),
        rulings=rulings,
        trace=_trace(engine, stored, _counted(run), _dropped(run), _origin(run)),
        first_lap=score.first_lap if score is not None else 0,
        last_lap=score.last_lap if score is not None else 0,
        place=standing_place(race, run),
        model=model,
        model_sha256=model_sha256,
        finished_reason=run.finished_reason,
        race_official=race.official,
        hand_times_ns=_hand_times(engine, run),
        flagged_ns=tuple(sorted(mark.at_ns for mark in run.book.flagged)),
    )


def _hand_times(engine: Engine, run: Run) -> tuple[int, ...]:
    """The run's hand times on the clock of its crossings, as far as the two clocks can be compared."""
    if not run.book.segments:
        return ()
    boot = run.book.segments[-1].start.boot
    stamps = (on_gate(engine.scale, mark.moment, boot) for mark in run.hand_times)
    return tuple(sorted(at_ns for at_ns in stamps if at_ns is not None))


def _evicted_page(
    engine: Engine, race: Race, summary: RunSummary, rulings: tuple[RulingRecord, ...], stored: StoredTrace
) -> RunPage:
    """The page of a run that is no longer in memory: its laps are those that the journal's records state."""
    laps = _LAPS.validate_python([lap for _, lap in sorted(stored.laps.items())])
    rules: RaceRules = race.info.rules
    trace = _trace(engine, stored, {}, frozenset(), None)
    return RunPage(summary, rules, laps, (), (), rulings, trace, race_official=race.official)


def _crossings(engine: Engine, run: Run) -> tuple[CrossingView, ...]:
    shown = []
    for number, segment in enumerate(run.book.segments):
        start, own = segment.start, segment.replaced
        others = tuple(engine.witness_times(run, number))
        stamp = (start.at_ns, start.boot, start.utc_ns, start.uncertainty_ns, start.source)
        shown.append(CrossingView(number, start.crossing, *stamp, "" if own is None else own.source, others))
    return tuple(shown)


def _counted(run: Run) -> dict[int, tuple[int, str]]:
    """The number of each counted crossing to the lap that it ended and its source."""
    return {
        segment.start.crossing: (number, segment.start.source)
        for number, segment in enumerate(run.book.segments)
        if segment.start.crossing
    }


def _dropped(run: Run) -> frozenset[int]:
    return frozenset(mark.crossing for mark in run.book.flagged if run.book.was_dropped(mark.crossing))


def _origin(run: Run) -> StoredStamp | None:
    first = run.book.segments[0].start if run.book.segments else None
    return None if first is None else StoredStamp(first.boot, first.at_ns)


def _trace(
    engine: Engine,
    stored: StoredTrace,
    counted: dict[int, tuple[int, str]],
    dropped: frozenset[int],
    origin: StoredStamp | None,
) -> RunTrace:
    """All lanes in ms since the first crossing, or since the first stamp if the run has none."""
    stamps = [edge.stamp for edge in stored.edges] + [crossing.stamp for crossing in stored.crossings]
    stamps += [stamp for stamp, _ in stored.hand_times] + [report.taken for report in stored.reports]
    if origin is None and not stamps:
        return RunTrace(cut=stored.cut)
    begin_utc_ns = engine.time_of_day(*_pair(origin or stamps[0]))

    def to_ms(stamp: StoredStamp) -> float:
        return round((engine.time_of_day(stamp.boot, stamp.at_ns) - begin_utc_ns) / 1e6, 3)

    systems = {name: gate.spec.system for name, gate in engine.gates.items()}
    splits = {name for name, gate in engine.gates.items() if gate.spec.kind == "split"}
    beams = _beams(stored.edges, systems, to_ms)
    crossings = []
    for each in stored.crossings:
        if each.gate in splits:
            continue  # it makes sectors, no lap: among the crossings of the line it would look like one that was missed
        lap, source = counted.get(each.number, (None, "gate"))
        state = _state(each.number, lap, stored.flagged, dropped)
        why = "" if state == "counted" else stored.why.get(each.number, "")
        system = systems.get(each.gate, "A")
        crossings.append(TracedCrossing(to_ms(each.stamp), each.number, each.gate, system, state, lap, source, why))
    at_ms = [0.0, *(to_ms(stamp) for stamp in stamps)]
    margin_ms = max(MIN_MARGIN_MS, MARGIN * (max(at_ms) - min(at_ms)))
    return RunTrace(
        begin_utc_ns,
        min(at_ms) - margin_ms,
        max(at_ms) + margin_ms,
        beams,
        tuple(crossings),
        _reports(stored.reports, to_ms),
        tuple(TracedHandTime(to_ms(stamp), author) for stamp, author in stored.hand_times),
        stored.cut,
    )


def _pair(stamp: StoredStamp) -> tuple[str, int]:
    return stamp.boot, stamp.at_ns


def _state(number: int, lap: int | None, flagged: set[int], dropped: frozenset[int]) -> CrossingState:
    if lap is not None:
        return "counted"
    if number in dropped:
        return "dropped"
    return "flagged" if number in flagged else "uncounted"


def _beams(edges: list[StoredEdge], systems: Mapping[str, str], to_ms: ToMs) -> tuple[BeamLane, ...]:
    """Each sensor's pulses, from the edge that broke the beam to the one that freed it."""
    pulses: defaultdict[tuple[str, str], list[BeamPulse]] = defaultdict(list)
    broken_ms: dict[tuple[str, str], float] = {}
    for edge in edges:
        lane, at_ms = (edge.gate, edge.sensor), to_ms(edge.stamp)
        begin_ms = broken_ms.pop(lane, None)
        if edge.broken:
            if begin_ms is not None:
                pulses[lane].append(BeamPulse(begin_ms, None))
            broken_ms[lane] = at_ms
        elif begin_ms is not None:
            pulses[lane].append(BeamPulse(begin_ms, at_ms))
    for lane, begin_ms in broken_ms.items():
        pulses[lane].append(BeamPulse(begin_ms, None))
    return tuple(
        BeamLane(gate, sensor, systems.get(gate, "A"), tuple(found)) for (gate, sensor), found in sorted(pulses.items())
    )


def _reports(reports: list[StoredReport], to_ms: ToMs) -> tuple[TracedReport, ...]:
    """Cars' reports on the time base: a report is taken after the passing, so the shortest delay bounds the offset."""
    ahead_ms: dict[str, float] = {}
    for each in reports:
        off_ms = to_ms(each.taken) - each.stamp.at_ns / 1e6
        ahead_ms[each.stamp.boot] = min(off_ms, ahead_ms.get(each.stamp.boot, off_ms))
    shown = []
    for each in reports:
        at_ms = round(each.stamp.at_ns / 1e6 + ahead_ms[each.stamp.boot], 3)
        shown.append(TracedReport(at_ms, each.car, None if each.lap_ns is None else each.lap_ns / 1e6))
    return tuple(shown)
