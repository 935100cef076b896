"""What a ruling changed: the lap, the score and the place before and after. Called by station.py around the engine.

Figures are the published ones (truncated to ms). While a run is on, its place is the one that its score would have now.
"""

from shared.rules.ranking import RaceRules, RunLap, lap_time_ns
from shared.text import text
from shared.units import format_ms, published_ms
from station.core import inputs as e
from station.core.engine import Engine
from station.core.race.race import Race
from station.core.runs.incidents import incident_lap
from station.core.runs.laps import run_lap
from station.core.runs.run import INCIDENTS, RULINGS, Run
from station.views.command_answers import RulingEffect, RunFigures
from station.views.projection import score_ms

# Which model was driven changes no lap.
LAP_RULINGS = tuple(kind for kind in (*INCIDENTS, *RULINGS) if kind is not e.EnterModel)


def run_figures(engine: Engine, command: e.Input) -> RunFigures | None:
    """The figures of the run and lap that a ruling is about; None if it is not a ruling, or about no run."""
    race = engine.race
    if race is None or not isinstance(command, LAP_RULINGS):
        return None
    run_id = getattr(command, "run_id", "")
    run = race.runs.get(run_id) if run_id else race.run
    if run is None:
        return None
    number = _number(run, command)
    laps = run.book.laps()
    lap = laps[number - 1] if number is not None and 1 <= number <= len(laps) else None
    lap_ms = None if lap is None else _lap_ms(run_lap(lap), run.rules)
    score = score_ms(run, laps)
    counts = lap is not None and lap.valid
    return RunFigures(run.run_id, run.racer, number, lap_ms, counts, score, _place(race, run, score))


def ruling_effect(before: RunFigures | None, after: RunFigures | None) -> RulingEffect | None:
    """The effect of one ruling, from the figures before and after it; None if there are none."""
    if before is None or after is None:
        return None
    lap = None
    if before.lap is not None and before.lap == after.lap and before.lap_ms is not None and after.lap_ms is not None:
        lap = text("Lap {lap}: {change}.", lap=before.lap, change=_change(_lap(before), _lap(after)))
    score = text("Score: {change}.", change=_change(_figure(before.score_ms), _figure(after.score_ms)))
    place = text("Place: {change}.", change=_change(str(before.place or "none"), str(after.place or "none")))
    return RulingEffect(before, after, " ".join(part for part in (lap, score, place) if part is not None))


def _number(run: Run, command: e.Command) -> int | None:
    """The number of the lap that the command is about; None if it is about none."""
    if isinstance(command, e.OffTrack | e.Collision | e.CarReset):
        return incident_lap(run, command)
    if isinstance(command, e.VoidLap | e.RestoreLap | e.AddPenalty | e.DropCrossing | e.TakeBack):
        return command.number
    return None


def _lap_ms(lap: RunLap, rules: RaceRules) -> int | None:
    return published_ms(lap_time_ns(lap, rules)) if lap.lap_ns else None


def _place(race: Race, run: Run, score: int | None) -> int | None:
    lines = race.standings.lines()
    own = next((line for line in lines if line.racer == run.racer), None)
    if run.phase == "finished" or (own is not None and (score is None or own.score_ms <= score)):
        return None if own is None else own.rank
    if score is None:
        return None
    return 1 + sum(1 for line in lines if line.racer != run.racer and line.score_ms <= score)


def _lap(figures: RunFigures) -> str:
    return _figure(figures.lap_ms) + ("" if figures.lap_counts else text(" (does not count)"))


def _figure(milliseconds: int | None) -> str:
    return "none" if milliseconds is None else format_ms(milliseconds)


def _change(before: str, after: str) -> str:
    return text("{before}, as before", before=before) if before == after else f"{before} → {after}"
