"""After the commit: facts are published to MQTT, turned into orders to cars, and shown in the current view.

Called by station.py on the thread that owns the engine."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.link.interface import Link
from shared.rules.ranking import Placed
from station.core import facts as f
from station.core.engine import Engine
from station.core.facts import Fact, Lap
from station.core.inputs import Moment
from station.core.queue.orders import outlook
from station.core.race.race import Race
from station.core.runs.run import Run
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import DrivePermit, Goal
from station.service.cars.order_writer import Reply
from station.service.line_passes import line_passes
from station.views.best_laps import BestLaps
from station.views.current_view import CurrentView
from station.views.event_view import event_view
from station.views.procedure_view import procedure_view
from station.views.projection import (
    LapFigures,
    lap_figures,
    official_lap,
    race_view,
    run_status,
    run_view,
    standing_lines,
    unknown_transponder_views,
)
from station.views.queue_view import QueueView, queue_view
from station.views.race_views import RunView
from station.views.trackside.announcements import Announcer
from station.views.trackside.commentary import commentary
from station.views.trackside.sectors import SectorBests, run_sectors, split_gates

# Facts that change what the pages show of the race and its runs; all others leave that part of the view as it is.
_VIEW_FACTS = (
    f.RaceOpened,
    f.RunOpened,
    f.RunReleased,
    f.RunStarted,
    f.RunClock,
    f.RunFinished,
    f.RunReassigned,
    f.LapCompleted,
    f.LapConfirmed,
    f.LapHeld,
    f.LapAdjusted,
    f.LapsRecomputed,
    f.ModelEntered,
    f.ModelReported,
    f.RunModel,
    f.TimeUp,
    f.Incident,
    f.IncidentTakenBack,
    f.CrossingFlagged,
    f.Proposal,
    f.ProposalDismissed,
    f.Attributed,
    f.Qualified,
    f.UnknownTransponder,
    f.TransponderAssigned,
    f.StationBooted,
    f.RunStaged,
    f.StartCancelled,
    f.FalseStart,
    f.RunRelaunched,
    f.RacePaused,
    f.RaceContinued,
    f.SubmissionPending,
    f.RunSubmitted,
    f.RunDiscarded,
    f.RacerQueued,
    f.RacerMoved,
    f.RacerCalled,
    f.RacerNoShow,
    f.RacerUnqueued,
    f.RacerChanged,
    f.RacerRemoved,
    f.RaceChanged,
)
# Facts that change what is on file of the event, or what its lists say of the races and racers.
_EVENT_FACTS = (
    f.EventCreated,
    f.EventChanged,
    f.RaceCreated,
    f.RaceChanged,
    f.RacerAdded,
    f.RacerChanged,
    f.RacerRemoved,
    f.CarAdded,
    f.CarChanged,
    f.CarRemoved,
    f.TransponderAssigned,
    f.RaceOpened,
    f.RunOpened,
    f.RunFinished,
    f.RunReassigned,
    f.StandingChanged,
)


class Publisher:
    """Publishes facts that are on disk. `on_pass(boot, at_ns, utc_ns)` is called for each pass of the start line."""

    def __init__(
        self, cars: CarControl, link: Link, view: CurrentView, on_pass: Callable[[str, int, int], None] | None = None
    ) -> None:
        self._cars, self._link, self._view, self._on_pass = cars, link, view, on_pass
        self._best_laps = BestLaps()
        self._best_sectors = SectorBests()
        self._announcer = Announcer()
        self._lines: tuple[Placed, ...] = ()

    def resume(self, engine: Engine, now: Moment) -> None:
        """After a start: publishes what was true when the station stopped."""
        self._permit(engine)
        if (stop := engine.stop.on) is not None:
            self.stop_all(stop.author, replace(now, utc_ns=stop.utc_ns))
        self._view.update(mode=engine.readiness.mode)
        self._update_bests(engine, [])
        self._announcer.resume(engine.race, self._best_laps)
        self._show(engine, now, {}, standing=True)
        self._view.update(event=event_view(engine))
        self._status(engine, [run.run_id for run in _shown_runs(engine)])

    def publish(self, engine: Engine, facts: Sequence[Fact], now: Moment) -> None:
        """Publishes the facts of one input, in order."""
        if self._on_pass is not None:
            for each in line_passes(engine, facts):
                self._on_pass(each.boot, each.at_ns, engine.time_of_day(each.boot, each.at_ns))
        for fact in facts:
            self._publish_fact(engine, fact, now)
        changed = list(dict.fromkeys(run_id for fact in facts if (run_id := _changed_run(fact))))
        figures = self._status(engine, changed)
        self._update_bests(engine, _read_again(engine.race, changed, facts))
        if any(isinstance(fact, _EVENT_FACTS) for fact in facts):
            self._view.update(event=event_view(engine))
        if self._announcer.update(engine.race, facts, self._best_laps, now):
            self._view.update(announcements=self._announcer.newest)
        if any(isinstance(fact, _VIEW_FACTS) for fact in facts):
            standing = any(isinstance(fact, f.StandingChanged | f.RaceOpened | f.RaceChanged) for fact in facts)
            self._show(engine, now, figures, standing)

    def order(self, car: str, goal: Goal, throttle_percent: int | None, now_ns: int) -> None:
        """Sets a car's goal and sends the first order towards it."""
        self.send(self._cars.order(car, goal, throttle_percent, now_ns))

    def stop_all(self, author: str, at: Moment) -> None:
        """Stops every car at once, and each car that reports later. Safe from any thread."""
        self.send(self._cars.stop_all(author, at))
        self._show_stop(at)

    def send(self, replies: Sequence[Reply]) -> None:
        """Publishes messages to cars."""
        for car, body in replies:
            self._link.publish(body, car)

    def _show_stop(self, now: Moment) -> None:
        self._view.update(stop=self._cars.stop_view(now, connected=self._link.state().connected))

    def _publish_fact(self, engine: Engine, fact: Fact, now: Moment) -> None:
        match fact:
            case f.CarOrdered():
                self._permit(engine)
                if fact.action != "estop":  # an emergency stop was sent before it was stored
                    self.order(fact.car, fact.action, fact.throttle_percent, now.at_ns)
            case f.AllStopped() if not self._cars.all_stopped:  # otherwise it was sent before it was stored
                self.stop_all(fact.author, now)
            case f.StopReleased():
                self._cars.release(engine.stop.at)
                self._show_stop(now)
            case f.RunReleased(by_hand=True) if engine.race is not None:
                self._set_by_hand(engine, engine.race.runs[fact.run_id])
            case f.PhaseChanged():
                self._permit(engine)
            case f.ModeChanged():
                self._view.update(mode=fact.mode)
            case f.LapCompleted(lap) | f.LapConfirmed(lap) | f.LapAdjusted(lap) | f.LapHeld(lap):
                self._laps(engine, (lap,))
            case f.LapsRecomputed(_, laps):
                self._laps(engine, laps)

    def _set_by_hand(self, engine: Engine, run: Run) -> None:
        self._permit(engine)
        if not run.without_agent:  # a car without an agent is none of those that are controlled
            self._cars.set_by_hand(run.car)

    def _laps(self, engine: Engine, laps: Sequence[Lap]) -> None:
        for lap in laps:
            run = engine.race.runs.get(lap.run_id) if engine.race is not None else None
            if run is not None:
                self._link.publish(official_lap(run, lap))

    def _permit(self, engine: Engine) -> None:
        runs = engine.race.on_track if engine.race is not None else []
        self._cars.permit([DrivePermit(run.car, run.run_id, run.released) for run in runs if not run.by_hand])

    def _status(self, engine: Engine, changed: Sequence[str]) -> dict[str, LapFigures]:
        """Publishes the state of each run that changed and returns their lap figures by run id.

        The newest run is published last, because the last message is the one that is retained.
        """
        if engine.race is None or not changed:
            return {}
        runs, newest = engine.race.runs, engine.race.run
        figures: dict[str, LapFigures] = {}
        for run_id in sorted(changed, key=lambda each: newest is not None and each == newest.run_id):
            if run_id in runs:
                figures[run_id] = lap_figures(runs[run_id])
                self._link.publish(run_status(runs[run_id], figures[run_id]))
        return figures

    def _show(self, engine: Engine, now: Moment, figures: dict[str, LapFigures], standing: bool) -> None:
        race = engine.race
        if race is None:
            return
        if standing:
            self._lines = race.standings.lines()
        run = race.run
        on = {each.run_id: self._run(engine, each, now, figures.get(each.run_id)) for each in race.on_track}
        last = None
        if run is not None:
            last = on.get(run.run_id) or self._run(engine, run, now, figures.get(run.run_id))
        unknown_transponders = unknown_transponder_views(engine.unknown_transponders)
        best = race_view(race, self._best_laps.of_race())
        self._view.update(
            race=best,
            run=last,
            runs=tuple(on.values()),
            unknown_transponders=unknown_transponders,
            commentary=commentary(race, self._lines),
        )
        self._view.update(procedure=procedure_view(race, now), queue=_queue(engine, race, now))
        if standing:
            self._view.update(standing=standing_lines(race))

    def _update_bests(self, engine: Engine, changed: Sequence[str]) -> None:
        if engine.race is not None:
            self._best_laps.update(engine.race, changed)
            self._best_sectors.update(engine.race, split_gates(engine), changed)

    def _run(self, engine: Engine, run: Run, now: Moment, figures: LapFigures | None) -> RunView:
        # A lap that began on a gate's own clock is converted by the engine's time scale, so that a step of this
        # machine's time of day does not move a lap clock.
        now_by_scale = replace(now, utc_ns=engine.time_of_day(now.boot, now.at_ns))
        sectors = run_sectors(run, split_gates(engine), self._best_sectors)
        best_ns, reported = self._best_laps.of_racer(run.racer), engine.models.of(run.car)
        return run_view(run, now_by_scale, best_ns, reported, figures, sectors)


def _read_again(race: Race | None, changed: list[str], facts: Sequence[Fact]) -> Sequence[str]:
    """The runs whose laps are read again: those that changed, or all of them when the race has other rules now."""
    other_rules = any(isinstance(each, f.RaceChanged) and each.race.rules != each.was.rules for each in facts)
    return tuple(race.runs) if race is not None and other_rules else changed


def _shown_runs(engine: Engine) -> list[Run]:
    """The runs on the track; if there are none, the last run."""
    if engine.race is None or engine.run is None:
        return []
    return engine.race.on_track or [engine.run]


def _queue(engine: Engine, race: Race, now: Moment) -> QueueView:
    return queue_view(engine.queue_of(race).entries, outlook(race), engine.scale.of_moment(now))


def _changed_run(fact: Fact) -> str:
    """The id of the run whose state is published again because of this fact; "" if none."""
    match fact:
        case f.PhaseChanged() | f.LapsRecomputed() | f.RunReassigned() | f.RunSubmitted() | f.RunDiscarded():
            return fact.run_id
        case f.LapCompleted(lap) | f.LapAdjusted(lap) | f.LapHeld(lap):
            return lap.run_id
    return ""
