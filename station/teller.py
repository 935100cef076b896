"""After the commit: who is told what. Facts to the wire, to the cars' orders and to the screens."""

from collections.abc import Sequence

from shared.link.wire import Link
from station.cars import Cars, Goal, Permit, Reply
from station.core import facts as f
from station.core.engine import Engine
from station.core.events import Moment
from station.core.facts import Fact, Lap
from station.picture import official_lap, race_view, run_status, run_view, standing_lines
from station.screen import Screen

# Facts that change what a run looks like; all else leaves the picture as it is.
_SEEN = (
    f.RaceOpened,
    f.RunOpened,
    f.RunReleased,
    f.RunStarted,
    f.RunClock,
    f.RunFinished,
    f.RunReassigned,
    f.LapDone,
    f.LapConfirmed,
    f.LapRuled,
    f.LapsRecast,
    f.Incident,
    f.CrossingFlagged,
    f.Proposal,
    f.Qualified,
)
_STATUS = (f.PhaseChanged, f.LapDone, f.LapRuled, f.LapsRecast, f.RunReassigned)


class Teller:
    """Called on the thread that owns the engine, with facts that are on disk."""

    def __init__(self, cars: Cars, link: Link, screen: Screen) -> None:
        self._cars, self._link, self._screen = cars, link, screen

    def resume(self, engine: Engine, now: Moment) -> None:
        """After a start: what was true when the station went down."""
        self._permit(engine)
        self._screen.update(mode=engine.fitness.mode)
        self._show(engine, now, standing=True)
        self._status(engine)

    def tell(self, engine: Engine, facts: Sequence[Fact], now: Moment) -> None:
        """One input's facts."""
        for fact in facts:
            self._one(engine, fact, now)
        if any(isinstance(fact, _STATUS) for fact in facts):
            self._status(engine)
        if any(isinstance(fact, _SEEN) for fact in facts):
            self._show(engine, now, any(isinstance(fact, f.StandingChanged | f.RaceOpened) for fact in facts))

    def order(self, car: str, goal: Goal, throttle_percent: int | None, now_ns: int) -> None:
        """Lead a car to a mode."""
        self.send(self._cars.order(car, goal, throttle_percent, now_ns))

    def send(self, replies: Sequence[Reply]) -> None:
        """To the cars."""
        for car, body in replies:
            self._link.publish(body, car)

    def _one(self, engine: Engine, fact: Fact, now: Moment) -> None:
        match fact:
            case f.CarOrdered():
                self._permit(engine)
                if fact.action != "estop":  # that one went out before it was stored
                    self.order(fact.car, fact.action, fact.throttle_percent, now.at_ns)
            case f.PhaseChanged():
                self._permit(engine)
            case f.EpochBegan():
                self._screen.update(mode=fact.mode)
            case f.LapDone(lap) | f.LapConfirmed(lap) | f.LapRuled(lap):
                self._laps(engine, (lap,))
            case f.LapsRecast(_, laps):
                self._laps(engine, laps)

    def _laps(self, engine: Engine, laps: Sequence[Lap]) -> None:
        for lap in laps:
            run = engine.race.runs.get(lap.run_id) if engine.race is not None else None
            if run is not None:
                self._link.publish(official_lap(run, lap))

    def _permit(self, engine: Engine) -> None:
        run = engine.run
        on = run is not None and run.on
        self._cars.permit(
            Permit(run.car, run.run_id) if run is not None and on else None, on and run is not None and run.released
        )

    def _status(self, engine: Engine) -> None:
        if engine.run is not None:
            self._link.publish(run_status(engine.run))

    def _show(self, engine: Engine, now: Moment, standing: bool) -> None:
        race, run = engine.race, engine.run
        if race is None:
            return
        self._screen.update(race=race_view(race), run=run_view(run, now) if run is not None else None)
        if standing:
            self._screen.update(standing=standing_lines(race))
