"""Projections: the engine's state as the pages show it. Called on the thread that owns the engine, after a commit."""

from dataclasses import dataclass

from shared.protocol.messages import OfficialLap, RunStatus
from shared.text import text
from station.core.attribution.transponders import UnknownId
from station.core.facts import Lap, Proposal
from station.core.inputs import Moment, clock_of
from station.core.race.race import Race
from station.core.runs.car_models import matches_entry, shown
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run
from station.views.best_laps import BestLap
from station.views.race_views import RaceView, RunView, StandingLine, UnknownTransponderView
from station.views.trackside.sectors import SectorView

NEAR_NS = 1_000_000_000


def race_view(race: Race, best: BestLap | None = None) -> RaceView:
    """What the pages show of the race that is on; `best`: its best lap so far."""
    info = race.info
    whose = (best.lap_ns, best.racer) if best is not None else (None, "")
    return RaceView(info.race_id, info.name, info.track, info.rules, info.cars_on_track, *whose)


def standing_lines(race: Race) -> tuple[StandingLine, ...]:
    """The race's standings as lines, the leader first."""
    return tuple(
        StandingLine(
            placed.rank,
            placed.racer,
            placed.score_ms,
            placed.gap_ms,
            placed.interval_ms,
            placed.tied,
            race.standings.runs_of(placed.racer),
            _model(race, race.standings.run_behind(placed.racer)),
            placed.uncertainty_ns,
            _hand_timed(race, race.standings.run_behind(placed.racer)),
        )
        for placed in race.standings.lines()
    )


def _hand_timed(race: Race, run_id: str) -> bool:
    run = race.registry.runs.get(run_id)
    return run is not None and run.hand_timed


def standing_place(race: Race, run: Run) -> int | None:
    """The place that this run holds for its racer; None if it holds none."""
    if race.standings.run_behind(run.racer) != run.run_id:
        return None
    return next((placed.rank for placed in race.standings.lines() if placed.racer == run.racer), None)


@dataclass(frozen=True, slots=True)
class LapFigures:
    """A run's laps, the fastest valid one in ns, and the score so far in ms; None: none yet."""

    laps: tuple[Lap, ...]
    best_ns: int | None
    score_ms: int | None


def lap_figures(run: Run) -> LapFigures:
    """The figures of a run's laps as they are now, computed once for everything that shows them."""
    laps = run.book.laps()
    return LapFigures(laps, best_ns(laps), score_ms(run))


def run_view(
    run: Run,
    now: Moment,
    racer_best_ns: int | None = None,
    reported: tuple[str, str] | None = None,
    figures: LapFigures | None = None,
    sectors: tuple[tuple[SectorView, ...], tuple[SectorView, ...]] = ((), ()),
) -> RunView:
    """What the pages show of a run at `now`.

    `racer_best_ns`: the racer's best lap in the race. `reported`: the model, and its SHA-256, that the car reports now.
    `figures`: those of the run, if they are known already. `sectors`: of the lap in progress and of the last one.
    """
    figures = figures or lap_figures(run)
    laps = figures.laps
    model, model_sha256 = run_model(run, reported)
    must_match = run.phase == "armed" and bool(run.race.officiating)
    differs = must_match and reported is not None and not matches_entry(run, reported)
    running = run.phase == "running"
    current = run.book.segments[-1] if run.book.segments and running else None
    return RunView(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=model,
        model_sha256=model_sha256,
        attempt=run.attempt,
        phase=run.phase,
        released=run.released,
        laps=laps,
        lap_number=len(laps) + 1 if current else len(laps),
        lap_started_ns=_on_clock_of(now, current.start) if current else None,
        ends_ns=run.ends_ns(now.boot) if running and run.paused is None else None,
        best_ns=figures.best_ns,
        score_ms=figures.score_ms,
        finished_reason=run.finished_reason,
        counts=run.counts,
        lap_off_tracks=current.off_tracks if current else 0,
        lap_collisions=current.collisions if current else 0,
        lap_resets=current.resets if current else 0,
        flagged=tuple(mark.at_ns for mark in run.book.flagged),
        proposals=tuple(proposal for proposal in run.proposals if is_open_proposal(proposal, run)),
        racer_best_ns=racer_best_ns,
        by_hand=run.by_hand,
        entered_model=run.model,
        reported_model=reported,
        model_note=_model_note(run, reported, differs),
        model_differs=differs,
        last_lap=run.last_lap,
        hand_timed=run.hand_timed,
        hand_times=tuple(run.hand_times),
        disqualified=run.disqualified,
        official=run.official,
        limit_unsure=running and run.rules.time_limit_s is not None and run.unsure(now.boot),
        without_agent=run.without_agent,
        sectors=sectors[0],
        last_sectors=sectors[1],
    )


def _on_clock_of(now: Moment, mark: CountedCrossing) -> int:
    """When the mark was, in ns of the clock of `now`; by the time of day if it was stamped by another."""
    return mark.at_ns if clock_of(mark.boot) == clock_of(now.boot) else now.at_ns - (now.utc_ns - mark.utc_ns)


def run_model(run: Run, reported: tuple[str, str] | None = None) -> tuple[str, str]:
    """The model that drives, and its SHA-256: as reported in the run, else as the car reports now, else as entered.

    The last two count only until the start.
    """
    if run.driven is not None or run.race.officiating == 0 or run.released:
        return run.posted_model
    return reported or (run.model, run.model_sha256)


def _model_note(run: Run, reported: tuple[str, str] | None, differs: bool) -> str:
    if run.race.officiating == 0 or run.without_agent:
        return ""
    if differs and reported is not None:
        return text(
            "{car} reports {what}, the entry says {words}.",
            car=run.car,
            what=shown(*reported),
            words=shown(run.model, run.model_sha256),
        )
    if run.model_changes:
        return text("{car} reported another model in the middle of the run.", car=run.car)
    if run.driven is None and (run.released or reported is None):
        return text("{car} reports no model: its result names none.", car=run.car)
    return ""


def unknown_transponder_views(unknown_transponders: tuple[UnknownId, ...]) -> tuple[UnknownTransponderView, ...]:
    """The transponders that were read and have no owner."""
    return tuple(UnknownTransponderView(each.transponder, each.count) for each in unknown_transponders)


def best_ns(laps: tuple[Lap, ...]) -> int | None:
    """The time of the fastest valid lap in ns; None if there is none."""
    return min((lap.lap_ns for lap in laps if lap.valid), default=None)


def score_ms(run: Run) -> int | None:
    """The run's score so far in ms; None if it has none."""
    if run.disqualified:
        return None
    score = run.score if run.phase == "finished" else run.book.score()
    return None if score is None else score.score_ms


def run_status(run: Run, figures: LapFigures) -> RunStatus:
    """The run as it is published over MQTT."""
    best = figures.best_ns if run.counts else None
    uncertainty_ns = max((lap.uncertainty_ns for lap in figures.laps if lap.valid), default=0)
    who = (run.run_id, run.race.race_id, run.car, run.racer)
    return RunStatus(*who, run.phase, len(figures.laps), best, figures.score_ms, uncertainty_ns)


def official_lap(run: Run, lap: Lap) -> OfficialLap:
    """The lap as it is published over MQTT."""
    what = (run.run_id, run.car, run.racer, lap.number, lap.lap_ns, lap.valid, lap.confirmed, lap.reason[:500])
    return OfficialLap(*what, lap.uncertainty_ns)


def _model(race: Race, run_id: str) -> str:
    """The model that drove that run; "" if the run is no longer in memory."""
    run = race.runs.get(run_id)
    return "" if run is None else run.posted_model[0]


def is_open_proposal(proposal: Proposal, run: Run) -> bool:
    """Is the proposal still to be decided? Not once a ruling did what it proposes (dismissed ones are gone already)."""
    if proposal.crossing or proposal.kind == "paused_lap":
        return True
    near = any(abs(segment.start.at_ns - proposal.at_ns) < NEAR_NS for segment in run.book.segments)
    return near == (proposal.kind == "false_crossing")
